/**
 * The daemon's end of a session: inside `Control/Session` runs a second HTTP/2 connection with the roles reversed,
 * the daemon being its client. A replay never asks the client for anything, so this peer is there, answers PING and
 * SETTINGS, and stays idle until the client ends.
 */
import { bytesMessageData, wrapBytesMessage } from '../bridge/index.js';
import { IdleClient, OK } from '../wire/index.js';
import type { Call, CallHandler } from './call.js';

/** @param settled told when both ends of the session are up, and when it has ended */
export function serveSession(call: Call, settled: () => void = () => undefined): CallHandler {
  const peer = new IdleClient(settled);
  let ended = false;
  let isReading = true;
  const say = (): void => {
    if (!isReading) return;
    const chunks = peer.pull();
    if (chunks.length > 0) isReading = call.send(wrapBytesMessage(Buffer.concat(chunks)));
  };
  const end = (): void => {
    ended = true;
    settled();
  };
  const endWell = (): void => {
    if (ended) return;
    end();
    call.end(OK);
  };
  call.sendHeaders([]);
  say();
  return {
    message: (payload) => {
      const data = bytesMessageData(payload);
      if (ended || data === undefined) return;
      peer.push(data);
      if (peer.isOver) endWell();
      else say();
    },
    halfClose: endWell,
    cancelled: end,
    drained: () => {
      isReading = true;
      if (!ended) say();
    },
  };
}
