/**
 * In which fields two canonical requests differ, and by how much. Graphs are aligned: an op that one of them has more
 * shifts no other, and an op that differs is named by its place and its command.
 */
import { align } from './align.js';
import type { Canonical } from './canonical-form.js';
import { fieldDifferences } from './field-differences.js';
import { opKind, opName, type OpFields } from './op-name.js';

export interface Difference {
  /** Where in the live request; in the recorded one, when only that has it: `FilePath`, `Definition.op[2].exec.meta.args[2]`. */
  readonly field: string;
  /** The op in which it is, by its place and what it does: `op[2] RUN make`. Left out on the side that has no such op. */
  readonly op?: { readonly recorded?: string; readonly live?: string };
  /** Canonical values; left out where there is none. Of an op that only one has: its name. */
  readonly recorded?: string;
  readonly live?: string;
}

type Fields = Canonical['fields'];

/** A graph's fields, taken apart. */
interface GraphFields {
  readonly ops: OpParts[];
  /** What is said about ops beside them: metadata, places in source files. */
  readonly about: { readonly field: string; readonly op: number; readonly rest: string; readonly value: string }[];
  head: string | undefined;
}

interface OpParts {
  readonly fields: Map<string, string>;
  /** `op[1]:0`, or a digest in quotes where the graph has no such op. */
  readonly inputs: string[];
  /** All of the fields in one text, once somebody asked for it. */
  content?: string;
}

interface Request {
  readonly plain: ReadonlyMap<string, string>;
  /** By the path of the definition, with a dot behind it. */
  readonly graphs: ReadonlyMap<string, GraphFields>;
}

const SEGMENT = String.raw`[^.["]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])*\.`;
const IN_OP = new RegExp(String.raw`^((?:${SEGMENT})*?)op\[(\d+)\](?:\.(.+))?$`, 's');
const ABOUT_OP = new RegExp(String.raw`^((?:${SEGMENT})*?)((?:metadata|Source\.locations)\[op\[(\d+)\]\])(.*)$`, 's');
const MAIN_GRAPH = 'Definition.';
const INPUT = /^inputs\[\d+\]$/;
const TO_OP = /^op\[(\d+)\](.*)$/s;
/** A message without fields, and the op that only says which one is the result: what follows from other differences. */
const SAYS_NOTHING: ReadonlySet<string> = new Set(['{}', 'result']);
/** What a difference counts for, roughly. */
const ANOTHER_VALUE = 2;
const ONLY_ONE_HAS = 1.5;
/** So much of two values is looked at for how alike they are. */
const MAX_LIKENED = 200;
/** A pair of lists of ops is compared op by op up to this product of their lengths, and by place beyond it. */
const MAX_COMPARED_PAIRS = 10_000;

/** @returns nothing when the requests are equal */
export function differences(recorded: Fields, live: Fields): readonly Difference[] {
  const [before, now] = [takeApart(recorded), takeApart(live)];
  const found: Difference[] = [];
  for (const at of new Set([...now.graphs.keys(), ...before.graphs.keys()])) found.push(...graphDifferences(at, before.graphs.get(at), now.graphs.get(at)));
  found.push(...fieldDifferences(before.plain, now.plain));
  const telling = found.filter(({ recorded: was, live: is }) => ![was, is].some((value) => value !== undefined && SAYS_NOTHING.has(value)));
  return telling.length > 0 ? telling : found;
}

/**
 * About how many differences there are, cheaply: to choose what is worth comparing closely. A value that is much the same
 * counts for less than another one, or none.
 */
export function roughDistance(recorded: Fields, live: Fields): number {
  const [before, now] = [takeApart(recorded), takeApart(live)];
  let distance = 0;
  for (const [field, value] of now.plain) {
    const was = before.plain.get(field);
    if (was === undefined) distance += ONLY_ONE_HAS;
    else if (was !== value) distance += ANOTHER_VALUE - likeness(was, value);
  }
  for (const field of before.plain.keys()) if (!now.plain.has(field)) distance += ONLY_ONE_HAS;
  const counts = new Map<string, number>();
  for (const op of opsOf(before)) counts.set(op, (counts.get(op) ?? 0) + 1);
  for (const op of opsOf(now)) counts.set(op, (counts.get(op) ?? 0) - 1);
  for (const count of counts.values()) distance += Math.abs(count);
  return distance;
}

/** Which part of two values is equal, from their two ends: below 1. */
function likeness(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length, MAX_LIKENED);
  let start = 0;
  while (start < shorter && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < shorter - start && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  return (start + end) / (Math.min(Math.max(one.length, other.length), MAX_LIKENED) + 1);
}

/** An op counts as one, wherever it stands. */
function* opsOf({ graphs }: Request): Iterable<string> {
  for (const [at, { ops }] of graphs) for (const op of ops) yield `${at}op ${content(op)}`;
}

/** What is compared with many is taken apart once. */
const apart = new WeakMap<Fields, Request>();

function takeApart(fields: Fields): Request {
  const known = apart.get(fields);
  if (known !== undefined) return known;
  const request = takenApart(fields);
  apart.set(fields, request);
  return request;
}

function takenApart(fields: Fields): Request {
  const plain = new Map<string, string>();
  const graphs = new Map<string, GraphFields>();
  const graphAt = (at: string): GraphFields => {
    const graph = graphs.get(at) ?? { ops: [], about: [], head: undefined };
    graphs.set(at, graph);
    return graph;
  };
  /** The op of the last field and what its paths begin with: an op's fields stand together, and graphs have thousands of ops. */
  let [last, lastStart]: [OpParts, string] = [{ fields: new Map(), inputs: [] }, ''];
  const add = (op: OpParts, rest: string, value: string): void => {
    if (INPUT.test(rest)) op.inputs.push(value);
    else op.fields.set(rest, value);
  };
  for (const [path, value] of fields) {
    if (lastStart !== '' && path.startsWith(lastStart)) {
      add(last, path.slice(lastStart.length), value);
      continue;
    }
    const [, at = '', place = '', rest] = IN_OP.exec(path) ?? [];
    if (place !== '') {
      const { ops } = graphAt(at);
      last = ops[Number(place)] ??= { fields: new Map(), inputs: [] };
      lastStart = `${at}op[${place}].`;
      if (rest !== undefined) add(last, rest, value);
      continue;
    }
    const [, of = '', , about = '', more = ''] = ABOUT_OP.exec(path) ?? [];
    const headOf = path.endsWith('head') ? graphs.get(path.slice(0, -'head'.length)) : undefined;
    if (about !== '' && graphs.has(of)) graphAt(of).about.push({ field: path, op: Number(about), rest: path.slice(of.length).replace(`op[${about}]`, 'op') + (more === '' ? '{}' : ''), value });
    else if (headOf !== undefined) headOf.head = value;
    else plain.set(path, value);
  }
  return { plain, graphs };
}

/** Most requests have one graph; an op of another one is named by that as well. */
const nameAt = (at: string, graph: GraphFields, place: number): string => `${at === MAIN_GRAPH ? '' : at}op[${place}] ${opName(graph.ops[place]?.fields ?? new Map())}`;
const EMPTY: GraphFields = { ops: [], about: [], head: undefined };

function* graphDifferences(at: string, recorded = EMPTY, live = EMPTY): Iterable<Difference> {
  const partners = pairOps(recorded.ops, live.ops);
  const paired = new Set(partners.values());
  /** A reference to an op of the recording, as the live graph would write it; undefined when that has no such op. */
  const asLive = (reference: string): string | undefined => {
    const [, place, output] = TO_OP.exec(reference) ?? [];
    if (place === undefined) return reference;
    const partner = partners.get(Number(place));
    return partner === undefined ? undefined : `op[${partner}]${output}`;
  };
  const isNew = (reference: string): boolean => {
    const place = TO_OP.exec(reference)?.[1];
    return place !== undefined && !paired.has(Number(place));
  };
  const named = (graph: GraphFields, reference: string): string => reference.replace(TO_OP, (_, place: string, output: string) => nameAt(at, graph, Number(place)) + output);
  for (const [place, op] of recorded.ops.entries()) {
    const partner = partners.get(place);
    const other = partner === undefined ? undefined : live.ops[partner];
    if (partner === undefined || other === undefined) {
      yield { field: `${at}op[${place}]`, op: { recorded: nameAt(at, recorded, place) }, recorded: opName(op.fields) };
      continue;
    }
    let names: { readonly recorded: string; readonly live: string } | undefined;
    const bothNames = (): { readonly recorded: string; readonly live: string } => (names ??= { recorded: nameAt(at, recorded, place), live: nameAt(at, live, partner) });
    if (content(op) !== content(other)) {
      for (const difference of fieldDifferences(op.fields, other.fields)) yield { ...difference, field: `${at}op[${partner}].${difference.field}`, op: bothNames() };
    }
    for (let index = 0; index < Math.max(op.inputs.length, other.inputs.length); index += 1) {
      const [before, now] = [op.inputs[index], other.inputs[index]];
      const moved = before === undefined ? undefined : asLive(before);
      // An op that was put in, or taken out, stands in the list itself.
      if (moved === now || (before !== undefined && moved === undefined) || (now !== undefined && isNew(now))) continue;
      yield {
        field: `${at}op[${partner}].inputs[${index}]`,
        op: bothNames(),
        ...(before === undefined ? {} : { recorded: named(recorded, before) }),
        ...(now === undefined ? {} : { live: named(live, now) }),
      };
    }
  }
  for (const [place, op] of live.ops.entries()) if (!paired.has(place)) yield { field: `${at}op[${place}]`, op: { live: nameAt(at, live, place) }, live: opName(op.fields) };
  const headMoved = recorded.head === undefined ? undefined : asLive(recorded.head);
  if (recorded.head !== undefined && live.head !== undefined && headMoved !== undefined && headMoved !== live.head && !isNew(live.head)) {
    yield { field: `${at}head`, recorded: named(recorded, recorded.head), live: named(live, live.head) };
  }
  yield* differencesAbout(at, recorded, live, partners, paired);
}

/** What is said about ops that both have. */
function* differencesAbout(at: string, recorded: GraphFields, live: GraphFields, partners: ReadonlyMap<number, number>, paired: ReadonlySet<number>): Iterable<Difference> {
  const key = (op: number, rest: string): string => `${op} ${rest}`;
  const before = new Map<string, { readonly field: string; readonly op: number; readonly value: string }>();
  for (const said of recorded.about) {
    const partner = partners.get(said.op);
    if (partner !== undefined) before.set(key(partner, said.rest), said);
  }
  for (const { field, op, rest, value } of live.about) {
    if (!paired.has(op)) continue;
    const said = before.get(key(op, rest));
    before.delete(key(op, rest));
    if (said?.value !== value) yield { field, op: { live: nameAt(at, live, op) }, ...(said === undefined ? {} : { recorded: said.value }), live: value };
  }
  for (const { field, op, value } of before.values()) yield { field, op: { recorded: nameAt(at, recorded, op) }, recorded: value };
}

/** Which recorded op each live one is, by their places: equal ones in order, and between these the ones most alike of a kind. */
function pairOps(recorded: readonly OpParts[], live: readonly OpParts[]): ReadonlyMap<number, number> {
  const { equal, between } = align(recorded.map(content), live.map(content));
  const partners = new Map(equal);
  for (const { one, other } of between) {
    const free = new Set(other);
    const isByPlace = one.length * other.length > MAX_COMPARED_PAIRS;
    for (const place of one) {
      const mine = recorded[place]?.fields;
      let best: { readonly place: number; readonly distance: number } | undefined;
      for (const candidate of free) {
        const theirs = live[candidate]?.fields;
        if (mine !== undefined && theirs !== undefined && opKind(mine) === opKind(theirs)) {
          const distance = isByPlace ? 0 : fieldDistance(mine, theirs);
          if (best === undefined || distance < best.distance) best = { place: candidate, distance };
        }
        if (isByPlace) break;
      }
      if (best === undefined) continue;
      free.delete(best.place);
      partners.set(place, best.place);
    }
  }
  return partners;
}

const content = (op: OpParts): string => (op.content ??= JSON.stringify([...op.fields]));

function fieldDistance(one: OpFields, other: OpFields): number {
  let distance = 0;
  for (const [path, value] of one) if (other.get(path) !== value) distance += 1;
  for (const path of other.keys()) if (!one.has(path)) distance += 1;
  return distance;
}
