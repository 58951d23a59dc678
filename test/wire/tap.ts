/** A decoder with its events written down, and events as lines that a test can read. */

import { createHash } from 'node:crypto';
import { ConnectionDecoder, errorCodeName, type Side, type WireEvent } from '../../src/wire/index.js';
import { PREFACE, settings, text } from './bytes.js';

type Options = ConstructorParameters<typeof ConnectionDecoder>[1];

export class Tap {
  readonly events: WireEvent[] = [];
  readonly decoder: ConnectionDecoder;
  private clock = 0n;

  constructor(options?: Options) {
    this.decoder = new ConnectionDecoder((event) => this.events.push(event), options);
  }

  /** A tap on a connection whose prefaces and SETTINGS have gone by. */
  static opened(options?: Options): Tap {
    return new Tap(options).client(PREFACE, settings()).server(settings(), settings({}, 1)).client(settings({}, 1));
  }

  client(...pushes: readonly Uint8Array[]): this {
    return this.push('client', pushes);
  }

  server(...pushes: readonly Uint8Array[]): this {
    return this.push('server', pushes);
  }

  /** Each push comes a nanosecond after the one before. */
  push(side: Side, pushes: readonly Uint8Array[]): this {
    for (const bytes of pushes) this.decoder.push(side, bytes, (this.clock += 1n));
    return this;
  }

  end(...sides: readonly Side[]): this {
    for (const side of sides) this.decoder.end(side, (this.clock += 1n));
    return this;
  }

  /** The events so far, one line each. */
  get lines(): string[] {
    return this.events.map(line);
  }
}

/** Where each side's bytes stand after `Tap.opened`. */
export const OPENED_AT = { client: PREFACE.length + 2 * settings().length, server: 2 * settings().length } as const;

/** Body of a message event in one piece. */
export function body(event: WireEvent): Uint8Array | undefined {
  if (event.kind !== 'client-message' && event.kind !== 'server-message') return undefined;
  return event.data === undefined ? undefined : Uint8Array.from(Buffer.concat(event.data.map(({ bytes, from, to }) => bytes.subarray(from, to))));
}

function shown(bytes: Uint8Array): string {
  if (bytes.length <= 200) return JSON.stringify(text(bytes));
  return `${bytes.length} bytes of sha256 ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An event as a line, without its time. */
export function line(event: WireEvent): string {
  switch (event.kind) {
    case 'client-header':
    case 'server-header':
    case 'server-trailer': {
      const fields = event.headers.map(({ name, value }) => `${name}=${text(value)}`);
      return [`${event.stream} ${event.kind}`, ...fields].join(' ');
    }
    case 'client-message':
    case 'server-message': {
      const bytes = body(event);
      const what = bytes === undefined ? `${event.size} bytes` : shown(bytes);
      return `${event.stream} ${event.kind}${event.compressed ? ' compressed' : ''} ${what}`;
    }
    case 'client-half-close':
      return `${event.stream} client-half-close`;
    case 'reset':
      return `${event.stream} reset by ${event.side} ${errorCodeName(event.code)}`;
    case 'goaway':
      return `goaway by ${event.side} ${errorCodeName(event.code)} after ${event.lastStream} ${JSON.stringify(text(event.debug))}`;
    case 'gap':
      return `${event.stream ?? '-'} gap in ${event.side} at ${event.offset}, ${event.bytes} bytes: ${event.reason}`;
    case 'end':
      return `end of ${event.side}`;
  }
}

/** The lines of an ordinary call's headers, as `CALL` of bytes.ts has them. */
export const LINE = {
  request: (stream: number): string =>
    `${stream} client-header :method=POST :scheme=http :path=/moby.buildkit.v1.frontend.LLBBridge/Ping ` +
    ':authority=localhost content-type=application/grpc te=trailers',
  response: (stream: number): string => `${stream} server-header :status=200 content-type=application/grpc`,
  trailer: (stream: number): string => `${stream} server-trailer grpc-status=0 grpc-message=`,
} as const;

