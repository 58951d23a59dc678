/**
 * A Docker Engine's place, at a docker.sock: answers its API from the cassette, hands `POST /grpc` to the replayer's own
 * server, and holds the daemon's end of `POST /session`. HTTP/1.1 is read and written by Node's server, which only this
 * kind of replay loads.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { sessionIdOf } from '../bridge/index.js';
import type { Clock } from './clock.js';
import { type EngineScript, NoAnswer } from './engine-script.js';
import type { Told } from './miss.js';
import { holdSession } from './session-peer.js';

export interface EngineServerOptions {
  readonly script: EngineScript;
  /** Serves HTTP/2 to the client at the other end. */
  readonly serveBridge: (stream: Duplex) => void;
  /** @returns what is to be told once both ends of that session are up, and when it has ended */
  readonly openSession: (id: string) => () => void;
  readonly onMiss: (miss: Told) => void;
  readonly clock: Clock;
  /** 0: at once; 1: as recorded. */
  readonly pace: number;
}

/** Heads of Docker's clients hold the credentials of all registries; Go's server takes as much. */
const MAX_HEAD_BYTES = 1024 * 1024;

/** Not implemented: what Docker's clients take for an answer, and not for a reason to try something else. */
const MISS_STATUS = 501;

export class EngineServer {
  private readonly sockets = new Set<Duplex>();

  private constructor(
    private readonly http: Server,
    private readonly options: () => EngineServerOptions,
  ) {
    http.on('request', (request: IncomingMessage, response: ServerResponse) => this.answer(request, response));
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.upgrade(request, socket, head));
    // A client that goes away in the middle of its words has nobody to be told.
    http.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
  }

  /** @param options asked for when the first client has something to say */
  static async create(options: () => EngineServerOptions): Promise<EngineServer> {
    const { createServer } = await import('node:http');
    // buildx sends an empty Host; idle clients are let be, as dockerd lets them.
    return new EngineServer(createServer({ requireHostHeader: false, maxHeaderSize: MAX_HEAD_BYTES, keepAliveTimeout: 0 }), options);
  }

  accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.http.emit('connection', socket);
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '' } = request;
    const { script, clock, pace } = this.options();
    // Whatever it holds: it is read, and the answer comes behind it.
    request.resume().once('end', () => {
      const answer = hasContent(request) ? new NoAnswer("the cassette does not keep requests' content, which it would have to equal") : script.answer(method, url);
      if (answer instanceof NoAnswer) {
        this.refuse(request, answer.why, (body) => {
          response.writeHead(MISS_STATUS, { 'content-type': 'application/json', 'content-length': body.length });
          response.end(body);
        });
        return;
      }
      const send = (): void => {
        response.sendDate = false;
        const fields = answer.fields.flatMap(({ name, value }) => [name, Buffer.from(value).toString('latin1')]);
        const isFramed = answer.fields.some(({ name }) => name === 'content-length');
        response.writeHead(answer.status, isFramed ? fields : [...fields, 'content-length', String(answer.content.length)]);
        response.end(answer.content);
      };
      if (pace === 0) send();
      else clock.at(clock.now() + BigInt(Math.round(Number(answer.took) * pace)), send);
    });
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { script, serveBridge, openSession } = this.options();
    const { url = '', headers } = request;
    socket.on('error', () => undefined);
    const path = url.replace(/^\/v\d+(\.\d+)*(?=\/)/, '');
    const isKnown = request.method === 'POST' && headers.upgrade?.toLowerCase() === 'h2c' && (path === '/grpc' || path === '/session');
    if (!isKnown || !script.upgrades(url)) {
      const answer = script.answer(request.method ?? '', url);
      this.refuse(request, answer instanceof NoAnswer ? answer.why : 'it was recorded as a request without an upgrade', (body) => {
        socket.end(`HTTP/1.1 ${MISS_STATUS} Not Implemented\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString()}`);
      });
      return;
    }
    if (head.length > 0) socket.unshift(head);
    socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    if (path === '/grpc') serveBridge(socket);
    else holdSession(socket, openSession(sessionIdOf(Object.entries(headers).map(([name, value]) => ({ name, value: Buffer.from(String(value)) }))) ?? ''));
  }

  /** In the engine's own way. The query is not told: it can hold secrets. */
  private refuse({ method, url = '' }: IncomingMessage, why: string, send: (body: Buffer) => void): void {
    const [path = ''] = url.split('?');
    const text = `bridgetape: no answer for ${method ?? ''} ${path} of the Docker Engine: ${why}`;
    this.options().onMiss({ path, text });
    send(Buffer.from(JSON.stringify({ message: text })));
  }
}

function hasContent({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
