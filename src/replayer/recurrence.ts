/** Which recorded calls a client that does the same again makes again; of the others it means nothing that one is not made. */
import { BRIDGE, CONTROL, EXEC_PROCESS, PING, serviceOf, SESSION, STATUS } from '../bridge/index.js';
import { awaitedIn, cancelOf, type RecordedCall } from './recorded-call.js';
import { HEALTH_CHECK, TRACE_EXPORT } from './well-known.js';

/** By full name of the method, each with why it need not come again. */
const NEED_NOT_RECUR: ReadonlyMap<string, string> = new Map([
  [SESSION, 'a tunnel of which a replay plays the other end by itself'],
  [STATUS, 'progress, which a client may watch or not'],
  [PING, 'asks what the daemon can do'],
  [`${CONTROL}ListWorkers`, 'asks what the daemon has, whenever a client connects'],
  [`${CONTROL}Info`, 'asks what the daemon is'],
  [`${CONTROL}ListenBuildHistory`, 'watches what others build'],
]);

/** By service. */
const SERVICES_NEED_NOT_RECUR: ReadonlyMap<string, string> = new Map([
  [serviceOf(HEALTH_CHECK), 'polled'],
  [serviceOf(TRACE_EXPORT), 'sent when a client thinks it time, and not kept'],
  ['grpc.reflection.v1.ServerReflection', 'asks what the daemon has'],
  ['grpc.reflection.v1alpha.ServerReflection', 'asks what the daemon has'],
  ['containerd.services.content.v1.Content', 'blobs, which are not kept'],
]);

export function mustRecur(call: RecordedCall): boolean {
  const { path } = call;
  if (NEED_NOT_RECUR.has(path) || SERVICES_NEED_NOT_RECUR.has(serviceOf(path))) return false;
  // A stream on which nothing was said, and a call that the client gave up: how far either comes is chance.
  const asked = [...awaitedIn(call)];
  if (asked.length === 0) return false;
  if (path === EXEC_PROCESS) return asked.some(({ kind }) => kind === 'client-message');
  return !path.startsWith(BRIDGE) || cancelOf(call) === undefined;
}
