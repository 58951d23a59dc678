/**
 * From a field to its index: the encoder's side of HPACK's tables (RFC 7541 §2.3). The dynamic table itself is an
 * `HpackTable`; this only knows where in it a field is. Hot path: a field that is in the table costs one look-up of
 * its name and one comparison of its value, and no allocation.
 */

import type { HeaderField } from './events.js';
import { type Treatment, treatmentOf } from './hpack-policy.js';
import { INTEGER_ROOM, writeString } from './hpack-primitives.js';
import { STATIC_COUNT, STATIC_TABLE } from './hpack-table.js';
import { copy } from './octets.js';

/** What is known of a name, whatever the connection. */
export interface NameFacts {
  readonly treatment: Treatment;
  /** The name as a string of a header block (RFC 7541 §5.2). */
  readonly spelled: Uint8Array;
  /** The first index of that name in the static table; 0 if it has none. */
  readonly staticIndex: number;
  /** The values of that name in the static table, at `staticIndex` and the indexes after it. */
  readonly staticValues: readonly Uint8Array[];
}

const FACTS = new Map<string, NameFacts>();
for (const { name } of STATIC_TABLE) {
  const staticIndex = STATIC_TABLE.findIndex((field) => field.name === name) + 1;
  const staticValues = STATIC_TABLE.filter((field) => field.name === name).map(({ value }) => value);
  FACTS.set(name, { treatment: treatmentOf(name), spelled: spell(name), staticIndex, staticValues });
}

/** Recordings have few names; past these bounds the facts are gathered again each time. */
const REMEMBERED_NAMES = 1024;
const REMEMBERED_NAME_LENGTH = 64;

const NO_VALUES: readonly Uint8Array[] = [];

export function nameFacts(name: string): NameFacts {
  const known = FACTS.get(name);
  if (known !== undefined) return known;
  const facts: NameFacts = { treatment: treatmentOf(name), spelled: spell(name), staticIndex: 0, staticValues: NO_VALUES };
  if (FACTS.size < REMEMBERED_NAMES && name.length <= REMEMBERED_NAME_LENGTH) FACTS.set(name, facts);
  return facts;
}

function spell(name: string): Uint8Array {
  const octets = new Uint8Array(name.length);
  for (let at = 0; at < name.length; at += 1) {
    const octet = name.charCodeAt(at);
    if (octet > 0xff) throw new RangeError(`the header name ${JSON.stringify(name)} is not latin-1`);
    octets[at] = octet;
  }
  const out = new Uint8Array(INTEGER_ROOM + octets.length);
  return copy(out, 0, writeString(octets, out, 0));
}

/** The index of a field in the static table, given the facts of its name; 0 if it isn't there. */
export function staticIndexOf(value: Uint8Array, { staticIndex, staticValues }: NameFacts): number {
  for (let at = 0; at < staticValues.length; at += 1) {
    const candidate = staticValues[at];
    if (candidate !== undefined && sameOctets(candidate, value)) return staticIndex + at;
  }
  return 0;
}

interface Entry {
  readonly field: HeaderField;
  /** How many entries came before it on this connection. */
  readonly number: number;
  /** Its neighbours among the entries of the same name. */
  older: Entry | undefined;
  newer: Entry | undefined;
  /** The entry that came after it, whatever its name. */
  next: Entry | undefined;
}

/** Entries of one name that are looked at; a table of 4096 bytes has no more. */
const DEPTH = 128;

export class DynamicLookup {
  /** The newest entry of each name. */
  private readonly names = new Map<string, Entry>();
  private oldest: Entry | undefined;
  private newest: Entry | undefined;
  private count = 0;
  private added = 0;

  /** The newest entry of that name. */
  named(name: string): Entry | undefined {
    return this.names.get(name);
  }

  /** The newest entry with that value, from `newest` on to older ones of its name. */
  withValue(value: Uint8Array, newest: Entry | undefined): Entry | undefined {
    let entry = newest;
    for (let left = DEPTH; entry !== undefined && left > 0; left -= 1) {
      if (sameOctets(entry.field.value, value)) return entry;
      entry = entry.older;
    }
    return undefined;
  }

  /** RFC 7541 §2.3.3: the newest entry comes right after the static table. */
  index(entry: Entry): number {
    return STATIC_COUNT + this.added - entry.number;
  }

  add(field: HeaderField): void {
    const { newest } = this;
    const older = this.names.get(field.name);
    const entry: Entry = { field, number: this.added, older, newer: undefined, next: undefined };
    if (older !== undefined) older.newer = entry;
    if (newest === undefined) this.oldest = entry;
    else newest.next = entry;
    this.newest = entry;
    this.names.set(field.name, entry);
    this.added += 1;
    this.count += 1;
  }

  /** The table has only so many entries left: the oldest are forgotten. */
  keep(count: number): void {
    for (; this.count > count && this.oldest !== undefined; this.count -= 1) {
      const { oldest } = this;
      const { field, newer, next } = oldest;
      // Nothing that is forgotten refers to what is not: see PassingMap.
      oldest.newer = undefined;
      oldest.next = undefined;
      if (newer === undefined) this.names.delete(field.name);
      else newer.older = undefined;
      this.oldest = next;
      if (next === undefined) this.newest = undefined;
    }
  }
}

/** Values up to this length are compared here: a call into the runtime costs more (measured). */
const SHORT = 48;

/** From the end: values of one name more often begin alike than end alike. */
function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  if (length > SHORT) return a[length - 1] === b[length - 1] && Buffer.compare(a, b) === 0;
  for (let at = length - 1; at >= 0; at -= 1) if (a[at] !== b[at]) return false;
  return true;
}
