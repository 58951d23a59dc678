/** What differs between two ExecProcess streams: which processes were started, how, what they were given and what came of them. */
import { isUtf8 } from 'node:buffer';
import { align } from '../bridge/index.js';
import type { CallPair } from './align-calls.js';
import { readExec, type ExecutedProcess, type Stream } from './exec.js';
import { pair, reportFields } from './field-report.js';
import type { Forms, Sides } from './form.js';
import { Ids } from './ids.js';
import { pairEqual } from './pair-equal.js';
import type { Difference, Pair } from './report.js';

const EXEC_MESSAGE = 'moby.buildkit.v1.frontend.ExecMessage';
/** Longer output that is no text is told by its length and where it begins to differ. */
const MAX_BASE64_BYTES = 96;

type ProcessPair = Pair<ExecutedProcess>;

export function compareExec(calls: CallPair, sides: Sides): readonly Difference[] {
  const pairs = pairProcesses(readExec(calls.before), readExec(calls.after), sides);
  for (const { before, after } of pairs) if (before !== undefined && after !== undefined) Ids.pair(sides.before.ids, before.id, sides.after.ids, after.id);
  return pairs.flatMap((processes) => compareProcess(processes, sides));
}

/** Those that were started alike in containers that stand for each other, given the same if there are such; and between them one after the other. */
function pairProcesses(before: readonly ExecutedProcess[], after: readonly ExecutedProcess[], sides: Sides): readonly ProcessPair[] {
  const partners = new Map<ExecutedProcess, ExecutedProcess>();
  const containerOf = ({ container }: ExecutedProcess, { ids }: Forms): string => ids.names.get(container) ?? container;
  const keys: readonly ((process: ExecutedProcess, forms: Forms) => string)[] = [
    (process, forms) => `${process.given}\n${containerOf(process, forms)}`,
    (process, forms) => `${process.start}\n${containerOf(process, forms)}`,
    ({ start }) => start,
  ];
  for (const keyOf of keys) pairEqual(before, after, partners, { before: (process) => keyOf(process, sides.before), after: (process) => keyOf(process, sides.after) });
  const taken = new Set(partners.values());
  // Places of those that have partners, so that what lies between is found.
  const label = new Map(Array.from(partners.keys(), (process, index) => [process, String(index)]));
  const back = new Map(Array.from(partners, ([one, other]) => [other, label.get(one) ?? '']));
  const { between } = align(before.map((process, index) => label.get(process) ?? `before ${index}`), after.map((process, index) => back.get(process) ?? `after ${index}`));
  for (const { one, other } of between) {
    const [left, others] = [one.flatMap((index) => before[index] ?? []).filter((process) => !partners.has(process)), other.flatMap((index) => after[index] ?? []).filter((process) => !taken.has(process))];
    for (const [index, process] of left.entries()) {
      const partner = others[index];
      if (partner === undefined) break;
      partners.set(process, partner);
      taken.add(partner);
    }
  }
  return [
    ...before.map((process) => pair(process, partners.get(process))),
    ...after.filter((process) => !taken.has(process)).map((process) => pair<ExecutedProcess>(undefined, process)),
  ];
}

function compareProcess({ before, after }: ProcessPair, sides: Sides): readonly Difference[] {
  const process = pair(before && nameOf(before), after && nameOf(after));
  const say = (at: string, was: string | undefined, is: string | undefined, isText = false): Difference => ({ class: 'exec', at, process, value: pair(was, is), isText, isAnnotation: false, otherOps: [], again: [] });
  if (before === undefined || after === undefined) return [say('process', before && STARTED, after && STARTED)];
  const found: Difference[] = [];
  const messages = (was: Uint8Array | undefined, is: Uint8Array | undefined): void => {
    const [fields, others] = [was === undefined ? NOTHING : sides.before.named(EXEC_MESSAGE, was), is === undefined ? NOTHING : sides.after.named(EXEC_MESSAGE, is)];
    found.push(...reportFields('exec', fields, others).map((difference) => ({ ...difference, process })));
  };
  messages(before.init, after.init);
  const lists = (at: string, was: readonly string[], is: readonly string[]): void => {
    if (was.join('\0') !== is.join('\0')) found.push(say(at, was.join(', ') || undefined, is.join(', ') || undefined));
  };
  for (const [direction, name] of [['written', inputName], ['printed', outputName]] as const) {
    for (const fd of [...new Set([...before[direction].keys(), ...after[direction].keys()])].sort((one, other) => one - other)) {
      found.push(...compareStreams(name(fd), before[direction].get(fd), after[direction].get(fd), sides, say));
    }
  }
  lists('resize', before.resizes, after.resizes);
  lists('signal', before.signals, after.signals);
  messages(before.exit, after.exit);
  lists('state', [...before.marks].sort(), [...after.marks].sort());
  for (let index = 0; index < Math.max(before.others.length, after.others.length); index += 1) messages(before.others[index], after.others[index]);
  return found;
}

const STARTED = 'started';
const NOTHING = { fields: [], annotations: [] };
const inputName = (fd: number): string => (fd === 0 ? 'stdin' : `input of fd ${fd}`);
const outputName = (fd: number): string => (fd === 1 ? 'stdout' : fd === 2 ? 'stderr' : `fd ${fd}`);
const nameOf = ({ name, init }: ExecutedProcess): string => (init === undefined ? 'a process that was not started' : name);

function* compareStreams(at: string, before: Stream | undefined, after: Stream | undefined, sides: Sides, say: (at: string, was: string | undefined, is: string | undefined, isText?: boolean) => Difference): Iterable<Difference> {
  const [was, is] = [before?.bytes ?? EMPTY, after?.bytes ?? EMPTY];
  const texts = [utf8(was), utf8(is)] as const;
  if (texts[0] !== undefined && texts[1] !== undefined) {
    const [one, other] = [sides.before.ids.renamed(texts[0]), sides.after.ids.renamed(texts[1])];
    if (one !== other) yield say(at, one === '' ? undefined : one, other === '' ? undefined : other, /\n/.test(one + other));
  } else if (!was.equals(is)) yield say(at, dumped(was, is), dumped(is, was));
  if ((before?.eof === true) !== (after?.eof === true)) yield say(`${at} EOF`, before?.eof === true ? 'sent' : undefined, after?.eof === true ? 'sent' : undefined);
}

const EMPTY = Buffer.alloc(0);

/** Undefined for bytes that are no text. */
function utf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

function dumped(bytes: Buffer, other: Buffer): string | undefined {
  if (bytes.length === 0) return undefined;
  let same = 0;
  while (same < bytes.length && bytes[same] === other[same]) same += 1;
  const shown = bytes.subarray(same, same + MAX_BASE64_BYTES);
  return `${bytes.length} bytes, from byte ${same} on base64 ${shown.toString('base64')}${same + shown.length < bytes.length ? '…' : ''}`;
}
