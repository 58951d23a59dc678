/**
 * One connection to a docker.sock: exchanges of HTTP/1.1 as calls, without their secrets; `POST /grpc` makes the rest of
 * it a connection of HTTP/2 to the engine's BuildKit.
 */
import { type CassetteWriter, HTTP_1, type HeaderField, type NewEvent } from '../cassette/index.js';
import type { ConnectionTap } from '../proxy/index.js';
import { Http1Decoder, type Http1Event, type Http1Request, type Http1Response, type Side, type Tunnel } from '../wire/index.js';
import { enginePath, keepsAnswer, keptAnswer, keptFields, keptTarget } from './engine-secrets.js';

/** What a connection needs of its recorder. */
export interface EngineRecorder {
  readonly journal: Pick<CassetteWriter, 'append' | 'drained'>;
  /** The monotonic time, in ns, from which the cassette's times count. */
  readonly startedAt: bigint;
  /** The number of a new call. */
  nextCall(): number;
  /** Begins a connection of HTTP/2. */
  openUpgraded(address: string, upgradeOf: number, time: bigint): ConnectionTap;
}

interface OpenExchange {
  readonly call: number;
  /** Its request or its response has ended; with the other one it is forgotten. */
  isHalfOver: boolean;
}

export class RecordedEngineConnection implements ConnectionTap {
  private readonly decoder: Http1Decoder;
  /** The exchanges of which more can come, by their number on this connection. */
  private readonly calls = new Map<number, OpenExchange>();
  private upgraded: ConnectionTap | undefined;
  private writable = true;

  constructor(
    private readonly connection: number,
    private readonly address: string,
    private readonly recorder: EngineRecorder,
    time: bigint,
  ) {
    this.append({ kind: 'connection-open', connection, time: time - recorder.startedAt, address, protocol: HTTP_1 });
    this.decoder = new Http1Decoder((event) => this.record(event), {
      wantsContent: (request, response) => response !== undefined && keepsAnswer(request, response),
      follow: (exchange, request, response, at) => (speaksBridge(request, response) ? this.follow(exchange, at) : undefined),
    });
  }

  bytes(side: Side, chunk: Uint8Array, time: bigint): boolean {
    this.writable = true;
    this.decoder.push(side, chunk, time);
    return this.writable;
  }

  ready(): Promise<void> {
    return this.recorder.journal.drained();
  }

  end(side: Side, time: bigint): void {
    this.decoder.end(side, time);
  }

  close(side: Side, time: bigint, error?: Error): void {
    // In the order in which they ended, as far as that was seen before.
    this.decoder.end(side, time);
    this.decoder.end(side === 'client' ? 'server' : 'client', time);
    this.upgraded?.close(side, time, error);
    const { connection, recorder } = this;
    this.append({ kind: 'connection-close', connection, time: time - recorder.startedAt, side, ...(error === undefined ? {} : { error: error.message }) });
  }

  private follow(exchange: number, time: bigint): Tunnel | undefined {
    const call = this.calls.get(exchange)?.call;
    if (call === undefined) return undefined;
    const upgraded = this.recorder.openUpgraded(this.address, call, time);
    this.upgraded = upgraded;
    return {
      push: (side, bytes, at) => {
        if (!upgraded.bytes(side, bytes, at)) this.writable = false;
      },
      end: (side, at) => upgraded.end(side, at),
    };
  }

  private record(event: Http1Event): void {
    const { connection, recorder } = this;
    const time = event.time - recorder.startedAt;
    if (event.kind === 'gap') {
      const call = event.exchange === undefined ? undefined : this.calls.get(event.exchange)?.call;
      const { kind, side, offset, bytes, reason } = event;
      this.append({ kind, connection, time, side, offset, bytes, reason, ...(call === undefined ? {} : { call }) });
      return;
    }
    if (event.kind === 'request') this.calls.set(event.exchange, { call: recorder.nextCall(), isHalfOver: false });
    const call = this.calls.get(event.exchange)?.call;
    if (call === undefined) return;
    switch (event.kind) {
      case 'request': {
        const { method, target, fields } = event.request;
        this.append({ kind: 'client-header', connection, call, time, headers: [pseudo(':method', method), pseudo(':path', keptTarget(target)), ...keptFields(fields)] });
        return;
      }
      case 'response': {
        const { status, fields } = event.response;
        this.append({ kind: 'server-header', connection, call, time, headers: [pseudo(':status', String(status)), ...keptFields(fields)] });
        return;
      }
      case 'content': {
        const data = event.data && keptAnswer(event.data);
        const pieces = data && [{ bytes: data, from: 0, to: data.length }];
        this.append({ kind: event.side === 'client' ? 'client-message' : 'server-message', connection, call, time, compressed: false, size: event.size, data: pieces });
        return;
      }
      case 'request-end':
        // Trailers of a request have no place in a cassette, and no client of an engine sends any.
        this.append({ kind: 'client-half-close', connection, call, time });
        this.done(event.exchange);
        return;
      case 'response-end':
        this.append({ kind: 'server-trailer', connection, call, time, headers: keptFields(event.trailers) });
        this.done(event.exchange);
        return;
      case 'cut':
        this.append({ kind: 'reset', connection, call, time, side: event.side, code: CANCEL });
        return;
    }
  }

  private done(exchange: number): void {
    const open = this.calls.get(exchange);
    if (open?.isHalfOver === true) this.calls.delete(exchange);
    else if (open !== undefined) open.isHalfOver = true;
  }

  private append(event: NewEvent): void {
    if (!this.recorder.journal.append(event)) this.writable = false;
  }
}

/** RFC 9113 §7, as for a call of HTTP/2 whose peer goes away. */
const CANCEL = 8;

/** What dockerd's BuildKit answers with the whole Control API (moby api/server/router/grpc). */
function speaksBridge({ method, target, fields }: Http1Request, { status }: Http1Response): boolean {
  const protocol = fields.find(({ name }) => name === 'upgrade')?.value;
  return status === 101 && method === 'POST' && enginePath(target) === '/grpc' && protocol !== undefined && Buffer.from(protocol).toString('latin1').toLowerCase() === 'h2c';
}

function pseudo(name: string, value: string): HeaderField {
  return { name, value: Buffer.from(value, 'latin1') };
}
