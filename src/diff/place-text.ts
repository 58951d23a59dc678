/** Where a difference is, in words: calls by their numbers, ops by their lines in a Dockerfile. */
import { plural } from '../quantity.js';
import { cutEnd, legible } from '../view/index.js';
import type { BuildDifferences, CallPlace, OpPlace, Pair } from './report.js';

/** So many pairs of calls are named. */
const MAX_NAMED = 6;
/** Ops have long names. */
const MAX_OPS_NAMED = 3;
const MAX_OP_NAME = 40;

/** What stands in front of a thing: only the second recording has it, only the first, or both. */
export type Sign = '+' | '-' | '~';

export function signOf({ before, after }: { readonly before?: unknown; readonly after?: unknown }): Sign {
  if ((before === undefined) === (after === undefined)) return '~';
  return before === undefined ? '+' : '-';
}

/** `7 → 9`; `7` where both have the same, or where only one has it. */
export function pairText(pair: Pair<string | number>): string {
  const { before, after } = pair;
  if (before === undefined || after === undefined || before === after) return legible(String(after ?? before ?? ''));
  return `${legible(String(before))} → ${legible(String(after))}`;
}

/** `call 7 → 9`; nothing for what is no call. */
export function callText(pair: Pair<CallPlace>): string {
  const text = callNumbersText(pair);
  return text === '' ? '' : `call ${text}`;
}

export function callNumbersText(pair: Pair<CallPlace>): string {
  return pairText(numbers(pair));
}

function numbers({ before, after }: Pair<CallPlace>): Pair<number> {
  return { ...(before === undefined ? {} : { before: before.call }), ...(after === undefined ? {} : { after: after.call }) };
}

/** `also in calls 9 → 11, 12 → 14`; undefined when there are none. */
export function againText(again: readonly Pair<CallPlace>[]): string | undefined {
  if (again.length === 0) return undefined;
  const named = again.slice(0, MAX_NAMED).map(callNumbersText).join(', ');
  const rest = again.length - MAX_NAMED;
  return `also in ${again.length === 1 ? 'call' : 'calls'} ${named}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** `also in RUN make (Dockerfile:3), RUN strip`; undefined when there are none. */
export function otherOpsText(ops: readonly Pair<OpPlace>[]): string | undefined {
  if (ops.length === 0) return undefined;
  const named = ops.slice(0, MAX_OPS_NAMED).map((op) => {
    const source = sourceText(op);
    return `${cutEnd(legible((op.after ?? op.before)?.name ?? ''), MAX_OP_NAME)}${source === undefined ? '' : ` (${source})`}`;
  });
  const rest = ops.length - named.length;
  return `also in ${named.join(', ')}${rest > 0 ? ` and ${plural(rest, 'more op')}` : ''}`;
}

/** `Dockerfile:12-14`, `Dockerfile:12 → 13`; undefined when nothing says where an op was written. */
export function sourceText({ before, after }: Pair<OpPlace>): string | undefined {
  const [was, is] = [before?.source, after?.source];
  const now = is ?? was;
  if (now === undefined) return undefined;
  if (was === undefined || is === undefined || lines(was) === lines(is)) return `${legible(now.file)}:${lines(now)}`;
  return was.file === is.file ? `${legible(is.file)}:${lines(was)} → ${lines(is)}` : `${legible(was.file)}:${lines(was)} → ${legible(is.file)}:${lines(is)}`;
}

function lines({ line, endLine }: NonNullable<OpPlace['source']>): string {
  return endLine > line ? `${line}-${endLine}` : String(line);
}

/** `build 1 → 2: dockerfile.v0 target=release` */
export function buildTitle({ name, builds }: BuildDifferences): string {
  return `build ${pairText(builds)}${name === '' ? '' : `: ${legible(name)}`}`;
}
