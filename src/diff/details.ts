/**
 * Error details by what they are rather than by where they stand: BuildKit puts new ones in between from version to version.
 */
import type { Canonical, CanonicalField } from '../bridge/index.js';
import { shown, textIn } from './value.js';

type Fields = Pick<Canonical, 'fields' | 'annotations'>;

const TYPE = /^(.*?\bdetails)\[(\d+)\]\.type_url$/;
const DETAIL = /^(.*?\bdetails\[\d+\])(.*)$/s;

/** @example `details[1].value["digest"]` becomes `details["errdefs.Vertex"].value["digest"]` */
export function detailsByType({ fields, annotations }: Fields): Fields {
  const names = namesOf([...fields, ...annotations]);
  if (names.size === 0) return { fields, annotations };
  const renamed = ([path, value]: CanonicalField): CanonicalField => {
    const [, detail = '', rest = ''] = DETAIL.exec(path) ?? [];
    const name = names.get(detail);
    return name === undefined ? [path, value] : [name + membersInLowerCase(rest), value];
  };
  return { fields: fields.map(renamed), annotations: annotations.map(renamed) };
}

/** By the path with the index: the path with the type, and of several of a type which one. */
function namesOf(fields: readonly CanonicalField[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const [path, value] of fields) {
    const [, list = '', index = ''] = TYPE.exec(path) ?? [];
    if (list === '') continue;
    const type = (textIn(value) ?? value).replace(/^.*\//, '').replace(/\+json$/, '');
    const count = (counts.get(`${list} ${type}`) ?? 0) + 1;
    counts.set(`${list} ${type}`, count);
    names.set(`${list}[${index}]`, `${list}[${JSON.stringify(count === 1 ? type : `${type} ${count}`)}]`);
  }
  return names;
}

const NAMED = /^.*?\bdetails\["(?:[^"\\]|\\.)*"\]/s;

/** A detail that only one of two statuses has. */
export interface LoneDetail {
  readonly at: string;
  /** All that it says: its type, and then the short before the long. */
  readonly value: string;
  readonly isAnnotation: boolean;
}

interface Divided {
  readonly details: readonly LoneDetail[];
  readonly rest: Fields;
}

/** Sets apart, as one thing each, the details that only one side has. @param before as {@link detailsByType} makes them */
export function loneDetails(before: Fields, after: Fields): { readonly before: Divided; readonly after: Divided } {
  const [ours, theirs] = [detailNames(before), detailNames(after)];
  return { before: divided(before, (name) => !theirs.has(name)), after: divided(after, (name) => !ours.has(name)) };
}

const nameOf = ([path]: CanonicalField): string | undefined => NAMED.exec(path)?.[0];

function detailNames({ fields, annotations }: Fields): ReadonlySet<string | undefined> {
  return new Set([...fields, ...annotations].map(nameOf));
}

function divided({ fields, annotations }: Fields, isLone: (name: string) => boolean): Divided {
  const details = new Map<string, { readonly says: string[]; isAnnotation: boolean }>();
  const take = (list: readonly CanonicalField[], isAnnotation: boolean): readonly CanonicalField[] =>
    list.filter((field) => {
      const name = nameOf(field);
      if (name === undefined || !isLone(name)) return true;
      const detail = details.get(name) ?? { says: [], isAnnotation: true };
      details.set(name, detail);
      const [path, value] = field;
      detail.says.push(`${path.slice(name.length + 1)}: ${shown(value)}`);
      detail.isAnnotation &&= isAnnotation;
      return false;
    });
  const rest = { fields: take(fields, false), annotations: take(annotations, true) };
  // What is one is cut to the width of a terminal: a whole file or graph stands behind where it is from.
  for (const { says } of details.values()) says.splice(1, Infinity, ...says.slice(1).sort((one, other) => one.length - other.length));
  return { details: Array.from(details, ([at, { says, isAnnotation }]) => ({ at, value: `{ ${says.join(', ')} }`, isAnnotation })), rest };
}

/** JSON's members were named as Go's fields are up to v0.19, and as protobuf's since. */
function membersInLowerCase(path: string): string {
  return path.replace(/\["([A-Z])(?=[a-z])/g, (_, first: string) => `["${first.toLowerCase()}`);
}
