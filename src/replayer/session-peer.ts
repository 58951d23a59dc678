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
  /** Of the write that waits for the client to read. */
  let written: (() => void) | undefined;
  const release = (): void => {
    const callback = written;
    written = undefined;
    callback?.();
  };
  const end = (answer: boolean): void => {
    if (ended) return;
    ended = true;
    release();
    peer.destroy();
    tunnel.destroy();
    if (answer) call.end(OK);
  };
  const tunnel = new Duplex({
    read: () => undefined,
    write: (chunk: Uint8Array, _encoding, callback) => {
      written = callback;
      if (ended || call.send(wrapBytesMessage(chunk))) release();
    },
    final: (callback) => {
      callback();
      end(true);
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
    drained: release,
  };
}
