/**
 * Error details by what they are rather than by where they stand: BuildKit puts new ones in between from version to version.
 */
import type { Canonical, CanonicalField } from '../bridge/index.js';
import { textIn } from './value.js';

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

/** JSON's members were named as Go's fields are up to v0.19, and as protobuf's since. */
function membersInLowerCase(path: string): string {
  return path.replace(/\["([A-Z])(?=[a-z])/g, (_, first: string) => `["${first.toLowerCase()}`);
}
