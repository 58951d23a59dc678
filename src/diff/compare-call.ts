/** What differs between two calls that stand for each other: what was asked, what was answered, how it ended. */
import { decodeStatus, EXEC_PROCESS, PING, RETURN } from '../bridge/index.js';
import type { CallOutcome } from '../cassette/index.js';
import { ErrorCode, errorCodeName } from '../wire/index.js';
import type { CallPair } from './align-calls.js';
import { compareCapabilities } from './capabilities.js';
import { compareExec } from './compare-exec.js';
import { reportFields } from './field-report.js';
import type { Form, NamedFields, Sides } from './form.js';
import { Ids, withoutAnyId } from './ids.js';
import type { RecordedCall } from './recorded.js';
import type { Difference, DifferenceClass } from './report.js';
import { withoutMountPaths } from './world-rules.js';

const CONTROL_FACTS = /\/Control\/(?:Info|ListWorkers)$/;

/** Of all classes but order and time. */
export function compareCall(calls: CallPair, sides: Sides): readonly Difference[] {
  if (calls.before.path === EXEC_PROCESS) return [...compareExec(calls, sides), ...compareEnd(calls, sides)];
  return [...compareRequest(calls, sides), ...compareAnswer(calls, sides), ...compareEnd(calls, sides)];
}

function compareRequest(calls: CallPair, sides: Sides): readonly Difference[] {
  const [before, after] = [sides.before.request(calls.before), sides.after.request(calls.after)];
  if (isEqual(before, after, sides) || isUnheard(calls)) return [];
  const [was, is] = [sides.before.requestFields(calls.before), sides.after.requestFields(calls.after)];
  // The newer spelling has no resolve mode in what Go clients send.
  if (calls.before.path !== calls.after.path) return reportFields('requests', only(was, isNoResolveMode), only(is, isNoResolveMode));
  if (calls.before.path !== RETURN) return reportFields('requests', was, is);
  return [...reportFields('requests', only(was, isNoError), only(is, isNoError)), ...reportFields('errors', only(was, isError), only(is, isError))];
}

/** Ids that stand for nothing yet stand for each other where all else is equal. */
function isEqual(one: Form, other: Form, { before, after }: Sides): boolean {
  if (one.key !== other.key) return false;
  Ids.pairNumbers(before.ids, one.ids, after.ids, other.ids);
  return Ids.areNamedAlike(before.ids, one.ids, after.ids, other.ids);
}

/** A daemon that does not know a method can refuse it before the request is sent: whether there is one is chance. */
function isUnheard({ before, after }: CallPair): boolean {
  const isRefused = ({ outcome }: RecordedCall): boolean => outcome.kind === 'status' && outcome.code === UNIMPLEMENTED;
  return isRefused(before) && isRefused(after) && [before, after].some(({ request }) => request === undefined);
}

const UNIMPLEMENTED = 12;
const isError = (path: string): boolean => path === 'error' || path.startsWith('error.');
const isNoResolveMode = (path: string): boolean => path !== 'ResolveMode';
const isNoError = (path: string): boolean => !isError(path);

function only({ fields, annotations }: NamedFields, takesPart: (path: string) => boolean): NamedFields {
  return { fields: fields.filter(([path]) => takesPart(path)), annotations: annotations.filter(([path]) => takesPart(path)) };
}

function compareAnswer(calls: CallPair, sides: Sides): readonly Difference[] {
  const [was, is] = [calls.before.answer, calls.after.answer];
  // Whether there was an answer at all is told by how the calls ended.
  if (was === undefined || is === undefined) return [];
  if (calls.before.path === calls.after.path && Buffer.compare(was, is) === 0) return [];
  const [before, after] = [sides.before.answer(calls.before), sides.after.answer(calls.after)];
  if (isEqual(before, after, sides)) return [];
  const of: DifferenceClass = calls.before.path === PING || CONTROL_FACTS.test(calls.before.path) ? 'environment' : 'responses';
  const fields = [sides.before.answerFields(calls.before), sides.after.answerFields(calls.after)] as const;
  return of === 'environment' ? compareCapabilities(...fields) : reportFields(of, ...fields);
}

function compareEnd(calls: CallPair, sides: Sides): readonly Difference[] {
  const [was, is] = [endOf(calls.before.outcome), endOf(calls.after.outcome)];
  if (was !== is) return [{ class: 'errors', at: 'status', value: { before: saidEnd(calls.before, was), after: saidEnd(calls.after, is) }, isText: false, isAnnotation: false, otherOps: [], again: [] }];
  if (was === OK) return [];
  return reportFields('errors', sides.before.statusFields(calls.before), sides.after.statusFields(calls.after));
}

const OK = 'OK';
const CANCELLED = 'CANCELLED';

/**
 * A cancel is seen as a reset, as a status, or not at all when the recording ends with the client: which of these is
 * chance.
 */
function endOf(outcome: CallOutcome): string {
  switch (outcome.kind) {
    case 'status':
      return outcome.code === 0 ? OK : decodeStatus([{ name: 'grpc-status', value: Buffer.from(String(outcome.code)) }]).codeName;
    case 'reset':
      return outcome.code === ErrorCode.CANCEL || outcome.code === ErrorCode.NO_ERROR ? CANCELLED : `reset with ${errorCodeName(outcome.code)}`;
    case 'http':
      return `HTTP ${outcome.code}`;
    case 'open':
      return CANCELLED;
  }
}

function saidEnd({ trailer }: RecordedCall, end: string): string {
  const { message } = decodeStatus(trailer);
  return message === '' ? end : `${end}: ${withoutMountPaths(withoutAnyId(message))}`;
}
