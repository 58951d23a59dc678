/**
 * In which fields two canonical forms differ, lists aligned: an item that one of them has more shifts no other. Knows paths
 * and values, and neither messages nor graphs.
 */
import { align } from './align.js';

export interface FieldDifference {
  /** The path in the live form; in the recorded one, when only that has it. */
  readonly field: string;
  readonly recorded?: string;
  readonly live?: string;
}

/** A place in a form: the value there, what stands under names below it, and what stands in its list. */
interface Place {
  value: string | undefined;
  readonly members: Map<string, Place>;
  readonly items: Place[];
}

/** A member's name, a key in quotes, or the index of an item. */
const SEGMENT = /\.?[^.["]+|\["(?:[^"\\]|\\.)*"\]|\[(\d+)\]|[\s\S]/gy;
/** So many fields of a message that only one form has are shown as one value. */
const MAX_SHOWN_AS_ONE = 8;
/** `NAME=value`: items are paired by their names. */
const NAMED = /^"([A-Za-z_][\w.-]*)=/;

/** @param recorded values by their paths, as a canonical form has them */
export function* fieldDifferences(recorded: ReadonlyMap<string, string>, live: ReadonlyMap<string, string>): Iterable<FieldDifference> {
  yield* between('', placeOf(recorded), '', placeOf(live));
}

function placeOf(fields: ReadonlyMap<string, string>): Place {
  const root = newPlace();
  for (const [path, value] of fields) {
    let at = root;
    for (const [segment, index] of path.matchAll(SEGMENT)) {
      // Items come in order. One whose list has a hole before it is a member by its index.
      at = index !== undefined && Number(index) <= at.items.length ? (at.items[Number(index)] ??= newPlace()) : member(at, segment);
    }
    at.value = value;
  }
  return root;
}

const newPlace = (): Place => ({ value: undefined, members: new Map(), items: [] });

function member({ members }: Place, name: string): Place {
  const known = members.get(name);
  if (known !== undefined) return known;
  const made = newPlace();
  members.set(name, made);
  return made;
}

function* between(wasAt: string, was: Place, isAt: string, is: Place): Iterable<FieldDifference> {
  if (was.value !== is.value) yield { field: isAt, ...(was.value === undefined ? {} : { recorded: was.value }), ...(is.value === undefined ? {} : { live: is.value }) };
  for (const [name, now] of is.members) {
    const before = was.members.get(name);
    yield* before === undefined ? only('live', join(isAt, name), now) : between(join(wasAt, name), before, join(isAt, name), now);
  }
  for (const [name, before] of was.members) if (!is.members.has(name)) yield* only('recorded', join(wasAt, name), before);
  if (was.items.length > 0 || is.items.length > 0) yield* betweenLists(wasAt, was.items, isAt, is.items);
}

const join = (at: string, name: string): string => (at === '' && name.startsWith('.') ? name.slice(1) : at + name);

/** What only one form has: a small message as one value, of a larger one each field. */
function* only(side: 'recorded' | 'live', at: string, place: Place): Iterable<FieldDifference> {
  const leaves = [...leavesOf('', place)];
  const isOne = place.value === undefined && leaves.length > 1 && leaves.length <= MAX_SHOWN_AS_ONE;
  const values = isOne ? [['', `{ ${leaves.map(([path, value]) => `${path}: ${value}`).join(', ')} }`] as const] : leaves;
  for (const [path, value] of values) {
    const field = path.startsWith('[') || path === '' ? at + path : `${at}.${path}`;
    yield side === 'live' ? { field, live: value } : { field, recorded: value };
  }
}

function* leavesOf(at: string, { value, members, items }: Place): Iterable<readonly [path: string, value: string]> {
  if (value !== undefined) yield [at, value];
  for (const [name, below] of members) yield* leavesOf(join(at, name), below);
  for (const [index, item] of items.entries()) yield* leavesOf(`${at}[${index}]`, item);
}

function* betweenLists(wasAt: string, was: readonly Place[], isAt: string, is: readonly Place[]): Iterable<FieldDifference> {
  const { between: gaps } = align(was.map(contentOf), is.map(contentOf));
  const partners = pairedByName(gaps.flatMap(({ one }) => one), gaps.flatMap(({ other }) => other), was, is);
  const taken = new Set(partners.values());
  for (const { one, other } of gaps) {
    // Without names, each is paired with the next one in the same place.
    const nameless = other.filter((index) => !taken.has(index) && nameOf(is[index]) === undefined);
    for (const index of one) {
      const partner = partners.get(index) ?? (nameOf(was[index]) === undefined ? nameless.shift() : undefined);
      const before = was[index] ?? newPlace();
      const now = partner === undefined ? undefined : is[partner];
      if (partner !== undefined) taken.add(partner);
      if (now === undefined) yield* only('recorded', `${wasAt}[${index}]`, before);
      else yield* between(`${wasAt}[${index}]`, before, `${isAt}[${partner}]`, now);
    }
    for (const index of other) if (!taken.has(index)) yield* only('live', `${isAt}[${index}]`, is[index] ?? newPlace());
  }
}

/** Items that have names by these, wherever they stand. One that only moved has no partner: it went from one place, and came to another. */
function pairedByName(one: readonly number[], other: readonly number[], was: readonly Place[], is: readonly Place[]): ReadonlyMap<number, number> {
  const byName = new Map<string, number>();
  for (const index of other.toReversed()) {
    const name = nameOf(is[index]);
    if (name !== undefined) byName.set(name, index);
  }
  const partners = new Map<number, number>();
  for (const index of one) {
    const name = nameOf(was[index]);
    const partner = name === undefined ? undefined : byName.get(name);
    if (name === undefined || partner === undefined || was[index]?.value === is[partner]?.value) continue;
    partners.set(index, partner);
    byName.delete(name);
  }
  return partners;
}

/** Equal for items that say the same. */
function contentOf(place: Place): string {
  return JSON.stringify([place.value, ...Array.from(place.members, ([name, below]) => [name, contentOf(below)]), ...place.items.map(contentOf)]);
}

function nameOf(item: Place | undefined): string | undefined {
  return item?.value === undefined ? undefined : NAMED.exec(item.value)?.[1];
}
