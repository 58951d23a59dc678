/**
 * Files that stand in place of recorded ones: whoever reads such a file from a result that the recording read it from gets
 * these contents, whatever it was told then.
 */
import { contentsAnswer, type FileRequest, fileRequest, statAnswer } from '../bridge/index.js';
import type { CallEvent } from '../cassette/index.js';
import { OK } from '../wire/index.js';
import type { Bindings } from './bindings.js';
import type { Matching } from './matchers.js';
import { type RecordedCall, requestOf } from './recorded-call.js';

/** Contents by name, as clients ask for it: relative to the root of the result. */
export type PlacedFiles = ReadonlyMap<string, Uint8Array>;

/**
 * The recorded call that asked about the same file, with the answer that the file in its place gives.
 *
 * @returns undefined when the request is not about such a file, or the recording asked nothing about it there
 */
export function placedAnswer(files: PlacedFiles, path: string, payload: Uint8Array, matcher: Matching, bindings: Bindings): RecordedCall | undefined {
  const request = fileRequest(path, payload);
  const contents = request && files.get(request.name);
  if (request === undefined || contents === undefined) return undefined;
  const ref = bindings.recorded.get(request.ref) ?? request.ref;
  const about = matcher.of(path).filter((call) => isAbout(call, request.name, ref));
  const recorded = about.find((call) => matcher.use(call)) ?? about[0];
  return recorded && answering(recorded, answerTo(request, contents, recorded));
}

function isAbout(call: RecordedCall, name: string, ref: string): boolean {
  const asked = requestOf(call);
  const request = asked && fileRequest(call.path, asked);
  return request?.name === name && request.ref === ref;
}

function answerTo({ asks, name, range }: FileRequest, contents: Uint8Array, recorded: RecordedCall): Uint8Array {
  if (asks === 'contents') return contentsAnswer(contents, range);
  const [before] = recorded.events.flatMap((event) => (event.kind === 'server-message' ? [event.data] : []));
  return statAnswer(name, contents.length, before);
}

/** The call with one answer in place of whatever it was answered, at the same place among the events. */
function answering(recorded: RecordedCall, data: Uint8Array): RecordedCall {
  const { events } = recorded;
  const fromClient = events.filter(({ kind }) => kind.startsWith('client-'));
  const last = events.at(-1);
  if (last === undefined) return recorded;
  const { seq, time, connection, call } = last;
  const at = { seq, time, connection, call };
  const answer: readonly CallEvent[] = [
    { kind: 'server-header', headers: [], ...at },
    { kind: 'server-message', compressed: false, size: data.length, data, ...at },
    { kind: 'server-trailer', headers: OK, ...at },
  ];
  return { ...recorded, events: [...fromClient, ...answer] };
}
