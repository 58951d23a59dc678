import { constants, performServerHandshake, type ServerHttp2Session } from 'node:http2';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bytesMessageData, wrapBytesMessage } from '../../src/bridge/index.js';
import { serveSession } from '../../src/replayer/session-peer.js';
import type { Call, CallHandler } from '../../src/replayer/call.js';
import { control } from '../bridge/build.js';

/** The client of a session: an HTTP/2 server at the other end of the tunnel, as BuildKit's clients are. */
class SessionClient implements Call {
  readonly path = control('Session');
  readonly headers = [];
  readonly handler: CallHandler;
  readonly server: ServerHttp2Session;
  readonly ended: Promise<void>;
  isReading = true;
  sent = 0;
  private end_: () => void = () => undefined;
  private readonly tunnel: Duplex;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end_ = resolve;
    });
    this.tunnel = new Duplex({
      read: () => undefined,
      write: (chunk: Uint8Array, _encoding, callback) => {
        this.handler.message(wrapBytesMessage(chunk));
        callback();
      },
    });
    this.handler = serveSession(this);
    this.server = performServerHandshake(this.tunnel);
    this.server.on('error', () => undefined);
  }

  sendHeaders(): void {
    this.sent += 0;
  }

  send(payload: Uint8Array): boolean {
    this.sent += 1;
    this.tunnel.push(bytesMessageData(payload));
    return this.isReading;
  }

  end(): void {
    this.end_();
  }

  reset(): void {
    this.end_();
  }

  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.ping((error, duration) => (error === null ? resolve(duration) : reject(error)));
    });
  }

  close(): void {
    this.server.destroy();
    this.tunnel.destroy();
  }
}

describe('the peer inside a session', () => {
  it('answers PING as long as the client likes', async () => {
    const client = new SessionClient();
    for (let time = 0; time < 3; time += 1) expect(await client.ping()).toBeGreaterThan(0);
    client.close();
    client.handler.halfClose();
    await client.ended;
  });

  it('acknowledges SETTINGS', async () => {
    const client = new SessionClient();
    const acknowledged = new Promise((resolve) => client.server.settings({ maxConcurrentStreams: 7 }, resolve));
    await acknowledged;
    expect(client.server.pendingSettingsAck).toBe(false);
    client.close();
    client.handler.cancelled();
  });

  it('ends the call well when the client ends its messages', async () => {
    const client = new SessionClient();
    await client.ping();
    client.handler.halfClose();
    await client.ended;
    client.close();
  });

  it('ends the call when the client ends the connection inside', async () => {
    const client = new SessionClient();
    await client.ping();
    client.server.goaway(constants.NGHTTP2_NO_ERROR);
    client.server.close();
    await client.ended;
    client.close();
  });

  it('ends the call when what comes through the tunnel is no HTTP/2', async () => {
    const client = new SessionClient();
    client.handler.message(wrapBytesMessage(Buffer.from('this is no frame, and a long one at that')));
    await client.ended;
    client.close();
  });

  it('says nothing more to a client that cancelled', async () => {
    const client = new SessionClient();
    await client.ping();
    client.handler.cancelled();
    const { sent } = client;
    client.handler.message(wrapBytesMessage(Buffer.from('late')));
    client.handler.message(Buffer.from([0xff]));
    expect(client.sent).toBe(sent);
    client.close();
  });

  it('waits for a client that does not read', async () => {
    const client = new SessionClient();
    await client.ping();
    client.isReading = false;
    const answered = client.ping();
    const second = client.ping();
    await new Promise((resolve) => setImmediate(resolve));
    client.isReading = true;
    client.handler.drained();
    expect(await answered).toBeGreaterThan(0);
    expect(await second).toBeGreaterThan(0);
    client.close();
    client.handler.cancelled();
  });
});
