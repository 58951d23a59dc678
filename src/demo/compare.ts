/**
 * Two recordings of the same client, held against each other message by message: calls, messages, bytes, statuses.
 * Not a diff of meaning: what is equal here is equal to the byte, ids aside.
 */
import { decodeStatus, parseExec, rewriteIds } from '../bridge/index.js';
import type { Cassette, CassetteEvent, MessageEvent } from '../cassette/index.js';

export interface CompareOptions {
  /** Whether a call takes part. */
  readonly takesPart: (path: string) => boolean;
  /** Id in the second recording → the one in the first that it took the place of. */
  readonly ids: ReadonlyMap<string, string>;
  /** Compare output of processes as bytes for each process, and answers by their number only: a daemon's are never the same twice. */
  readonly live: boolean;
}

export interface Comparison {
  readonly calls: number;
  readonly messages: number;
  /** Payload bytes compared. */
  readonly bytes: number;
  readonly statuses: number;
  /** In words, a line each. */
  readonly differences: readonly string[];
}

interface ComparedCall {
  readonly id: number;
  readonly path: string;
  readonly events: readonly CassetteEvent[];
}

export function compare(first: Cassette, second: Cassette, options: CompareOptions): Comparison {
  const before = byPath(first, options);
  const after = byPath(second, options);
  const differences: string[] = [];
  const totals = { calls: 0, messages: 0, bytes: 0, statuses: 0 };
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const ours = before.get(path) ?? [];
    const theirs = after.get(path) ?? [];
    if (ours.length !== theirs.length) differences.push(`${path}: ${ours.length} calls, then ${theirs.length}`);
    for (const [index, one] of ours.entries()) {
      const other = theirs[index];
      if (other !== undefined) compareCalls(one, other, options, totals, differences);
    }
  }
  return { ...totals, differences };
}

/** The calls of each method, in the order of their starts. */
function byPath(cassette: Cassette, { takesPart }: CompareOptions): ReadonlyMap<string, readonly ComparedCall[]> {
  const groups = new Map<string, ComparedCall[]>();
  for (const { id, path } of cassette.calls) {
    if (!takesPart(path)) continue;
    const group = groups.get(path) ?? [];
    groups.set(path, group);
    group.push({ id, path, events: cassette.call(id) });
  }
  return groups;
}

function compareCalls(one: ComparedCall, other: ComparedCall, options: CompareOptions, totals: { calls: number; messages: number; bytes: number; statuses: number }, differences: string[]): void {
  const where = `${one.path}, calls ${one.id} and ${other.id}`;
  totals.calls += 1;
  for (const kind of ['client-message', 'server-message'] as const) {
    const ours = messagesOf(one, kind);
    const theirs = messagesOf(other, kind);
    totals.messages += ours.length;
    totals.bytes += ours.reduce((sum, { size }) => sum + size, 0);
    if (options.live && kind === 'server-message') {
      differences.push(...compareAnswers(ours, theirs, options).map((text) => `${where}: ${text}`));
      continue;
    }
    if (ours.length !== theirs.length) differences.push(`${where}: ${ours.length} ${kind}s, then ${theirs.length}`);
    for (const [index, message] of ours.entries()) {
      const twin = theirs[index];
      if (twin !== undefined && !sameMessage(message, twin, options)) differences.push(`${where}: ${kind} ${index + 1} differs (${message.size} bytes, then ${twin.size})`);
    }
  }
  const status = outcomeOf(one);
  const twin = Buffer.from(rewriteIds(Buffer.from(outcomeOf(other)), options.ids)).toString();
  totals.statuses += 1;
  if (status !== twin) differences.push(`${where}: ended with ${status}, then with ${twin}`);
}

function messagesOf(call: ComparedCall, kind: 'client-message' | 'server-message'): readonly MessageEvent[] {
  return call.events.filter((event): event is MessageEvent => event.kind === kind);
}

function sameMessage(one: MessageEvent, other: MessageEvent, { ids }: CompareOptions): boolean {
  if (one.compressed !== other.compressed || one.size !== other.size) return false;
  if (one.data === undefined || other.data === undefined) return one.data === other.data;
  return Buffer.from(one.data).equals(rewriteIds(other.data, ids));
}

/** A live daemon's answers: for processes what they printed and how they ended, for the rest how many there were. */
function compareAnswers(ours: readonly MessageEvent[], theirs: readonly MessageEvent[], { ids }: CompareOptions): readonly string[] {
  const before = outputs(ours, new Map());
  const after = outputs(theirs, ids);
  if (before.size === 0) return ours.length === theirs.length ? [] : [`${ours.length} answers, then ${theirs.length}`];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names.filter((name) => before.get(name) !== after.get(name)).map((name) => `${name} differs`);
}

function outputs(messages: readonly MessageEvent[], ids: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const all = new Map<string, string>();
  for (const { data } of messages) {
    const message = data && parseExec(rewriteIds(data, ids));
    if (message === undefined || message.process === '') continue;
    const { process, input } = message;
    const key = input.kind === 'file' ? `output of ${process} on fd ${input.fd}` : `${input.kind} of ${process}`;
    const text = input.kind === 'file' ? Buffer.from(input.data).toString('latin1') : input.kind === 'exit' ? String(input.code) : 'came';
    all.set(key, (all.get(key) ?? '') + text);
  }
  return all;
}

/** How a call ended, as its client saw it: code, message, and how many details. */
function outcomeOf(call: ComparedCall): string {
  for (const event of call.events) {
    if (event.kind === 'server-trailer') {
      const { codeName, message, details } = decodeStatus(event.headers);
      return message === '' && details.length === 0 ? codeName : `${codeName} "${message}" and ${details.length} details`;
    }
  }
  const reset = call.events.find((event) => event.kind === 'reset');
  return reset === undefined ? 'no end' : `a reset by the ${reset.side}`;
}
