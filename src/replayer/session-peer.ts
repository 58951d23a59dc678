/**
 * The daemon's end of a session: inside `Control/Session` runs a second HTTP/2 connection with the roles reversed,
 * the daemon being its client. A replay never asks the client for anything, so this peer is there, answers PING and
 * SETTINGS, and stays idle until the client ends.
 */
import { connect } from 'node:http2';
import { Duplex } from 'node:stream';

import { bytesMessageData, wrapBytesMessage } from '../bridge/index.js';
import type { Call, CallHandler } from './call.js';
import { OK } from './status.js';

export function serveSession(call: Call): CallHandler {
  let ended = false;
  const end = (answer: boolean): void => {
    if (ended) return;
    ended = true;
    peer.destroy();
    tunnel.destroy();
    if (answer) call.end(OK);
  };
  const tunnel = new Duplex({
    read: () => undefined,
    write: (chunk: Uint8Array, _encoding, callback) => {
      if (ended || call.send(wrapBytesMessage(chunk))) callback();
      else void call.drained().then(() => callback());
    },
  });
  const peer = connect('http://localhost', { createConnection: () => tunnel });
  peer.on('error', () => end(true));
  peer.on('close', () => end(true));
  call.sendHeaders([]);
  return {
    message: (payload) => {
      const data = bytesMessageData(payload);
      if (data !== undefined && data.length > 0 && !tunnel.destroyed) tunnel.push(data);
    },
    halfClose: () => end(true),
    cancelled: () => end(false),
  };
}
