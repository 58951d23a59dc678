/**
 * The daemon's end of a session: inside `Control/Session`, or behind an engine's `POST /session`, runs a second HTTP/2
 * connection with the roles reversed, the daemon being its client. A replay never asks the client for anything, so this peer is there, answers PING and
 * SETTINGS, and stays idle until the client ends.
 */
import type { Duplex } from 'node:stream';

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

/** The same on a stream of its own. The stream is the peer's from here on. */
export function holdSession(stream: Duplex, settled: () => void): void {
  const peer = new IdleClient(settled);
  const say = (): void => {
    if (stream.writableNeedDrain || stream.writableEnded || stream.destroyed) return;
    for (const chunk of peer.pull()) stream.write(chunk);
  };
  stream.on('data', (bytes: Uint8Array) => {
    peer.push(bytes);
    if (peer.isOver) stream.end();
    else say();
  });
  stream.on('drain', say);
  stream.once('end', () => stream.end());
  stream.once('close', settled);
  say();
}
