/** What a daemon says that it can do, and with what: capabilities by their ids, whatever their order, and workers. */
import type { CanonicalField } from '../bridge/index.js';
import { pair, reportFields } from './field-report.js';
import type { NamedFields } from './form.js';
import type { Difference } from './report.js';
import { textIn } from './value.js';

const CAPABILITY = /^(FrontendAPICaps|LLBCaps)\[(\d+)\]\.(.+)$/;
/** Where a worker runs (worker/label.go). */
const HOST_NAME = /\.?Labels\["org\.mobyproject\.buildkit\.worker\.hostname"\]$/;

type Capabilities = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** New capabilities are one difference, and so are those that are gone. */
export function compareCapabilities(before: NamedFields, after: NamedFields): readonly Difference[] {
  const found: Difference[] = [];
  const say = (at: string, was: string | undefined, is: string | undefined): void => {
    found.push({ class: 'environment', at, value: pair(was, is), isText: false, isAnnotation: false, otherOps: [], again: [] });
  };
  for (const list of ['FrontendAPICaps', 'LLBCaps']) {
    const [was, is] = [capabilities(list, before.fields), capabilities(list, after.fields)];
    const [gone, come] = [idsBeside(was, is), idsBeside(is, was)];
    if (gone.length > 0) say(list, gone.join(', '), undefined);
    if (come.length > 0) say(list, undefined, come.join(', '));
    for (const [id, attributes] of is) {
      const others = was.get(id);
      if (others === undefined) continue;
      for (const name of new Set([...attributes.keys(), ...others.keys()])) {
        if (attributes.get(name) !== others.get(name)) say(`${list}[${JSON.stringify(id)}].${name}`, others.get(name), attributes.get(name));
      }
    }
  }
  return [...found, ...reportFields('environment', besideCapabilities(before), besideCapabilities(after))];
}

function capabilities(list: string, fields: readonly CanonicalField[]): Capabilities {
  const byIndex = new Map<string, Map<string, string>>();
  for (const [path, value] of fields) {
    const [, of, index = '', name = ''] = CAPABILITY.exec(path) ?? [];
    if (of !== list) continue;
    const attributes = byIndex.get(index) ?? new Map<string, string>();
    byIndex.set(index, attributes);
    attributes.set(name, value);
  }
  return new Map(Array.from(byIndex.values(), (attributes) => [textIn(attributes.get('ID') ?? '') ?? '', attributes]));
}

const idsBeside = (one: Capabilities, other: Capabilities): readonly string[] => [...one.keys()].filter((id) => !other.has(id)).sort();

function besideCapabilities({ fields, annotations }: NamedFields): NamedFields {
  return { fields: fields.filter(([path]) => !CAPABILITY.test(path) && !HOST_NAME.test(path)), annotations };
}
