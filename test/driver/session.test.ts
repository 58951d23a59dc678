import { once } from 'node:events';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { Duplex } from 'node:stream';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { bytesMessageData, wrapBytesMessage } from '../../src/bridge/index.js';
import { offered, ServedSession } from '../../src/driver/session.js';

let call: Duplex;
let session: ServedSession;
let daemon: ClientHttp2Session;

/** Node's HTTP/2 client where a daemon would be, at the other end of a call of Control/Session. */
beforeEach(() => {
  const tunnel: Duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      end.push(Buffer.from(wrapBytesMessage(chunk)));
      done();
    },
    final: (done) => {
      end.push(null);
      done();
    },
  });
  const end: Duplex = new Duplex({
    objectMode: true,
    read: () => undefined,
    write: (message: Buffer, _encoding, done) => {
      // Node's HTTP/2 dies of bytes that come while it writes.
      setImmediate(() => tunnel.push(bytesMessageData(message)));
      done();
    },
    final: (done) => {
      setImmediate(() => tunnel.push(null));
      done();
      end.emit('status', { code: 0 });
    },
  });
  call = end;
  session = new ServedSession(call as unknown as ClientDuplexStream<Buffer, Buffer>);
  daemon = connect('http://session', { createConnection: () => tunnel });
});

afterEach(() => daemon.destroy());

async function ask(path: string, message: Buffer): Promise<{ readonly header: IncomingHttpHeaders; readonly trailer: IncomingHttpHeaders; readonly body: Buffer }> {
  const request = daemon.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  let trailer: IncomingHttpHeaders = {};
  request.on('trailers', (fields: IncomingHttpHeaders) => {
    trailer = fields;
  });
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.end(message);
  const [[header]] = (await Promise.all([once(request, 'response'), once(request, 'end')])) as [[IncomingHttpHeaders], unknown];
  return { header, trailer, body: Buffer.concat(chunks) };
}

const EMPTY_MESSAGE = Buffer.alloc(5);

describe('the session of a driven client', () => {
  it('says that it serves, as often as it is asked', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { header, trailer, body } = await ask('/grpc.health.v1.Health/Check', EMPTY_MESSAGE);
      expect(header[':status']).toBe(200);
      expect(body.toString('hex')).toBe('00000000020801');
      expect(trailer['grpc-status']).toBe('0');
    }
  });

  it('serves nothing else', async () => {
    const { header, body } = await ask('/moby.filesync.v1.FileSync/DiffCopy', EMPTY_MESSAGE);
    expect({ status: header['grpc-status'], body: body.length }).toEqual({ status: '12', body: 0 });
    expect(header['grpc-message']).toContain('FileSync/DiffCopy');
  });

  it('is over when the daemon has ended the call', async () => {
    await ask('/grpc.health.v1.Health/Check', EMPTY_MESSAGE);
    expect(call.writableEnded).toBe(false);
    session.end();
    await session.over;
    expect(call.writableEnded).toBe(true);
  });

  it('ends when the other end speaks something else', async () => {
    call.push(Buffer.from(wrapBytesMessage(Buffer.from('SSH-2.0-OpenSSH_9.9\r\n'.repeat(10)))));
    await session.over;
  });

  it('offers no method but the one it serves', () => {
    const field = (name: string, value: string): { readonly name: string; readonly value: Uint8Array } => ({ name, value: Buffer.from(value) });
    const fields = [
      field(':path', '/moby.buildkit.v1.Control/Session'),
      field('x-docker-expose-session-uuid', 'tp2os5geyy3c4obpl41bhrhqs'),
      field('x-docker-expose-session-grpc-method', '/grpc.health.v1.Health/Check'),
      field('x-docker-expose-session-grpc-method', '/moby.buildkit.secrets.v1.Secrets/GetSecret'),
    ];
    expect(offered(fields)).toEqual(fields.slice(0, 3));
  });
});
