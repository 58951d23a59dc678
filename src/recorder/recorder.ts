/**
 * From tapped bytes to a cassette: one decoder a connection, call numbers, the body policy, and the facts that
 * the traffic shows about the daemon.
 */
import { headerText } from '../bridge/index.js';
import type { CassetteWriter } from '../cassette/index.js';
import { PassingMap } from '../passing.js';
import type { ConnectionTap, Tap } from '../proxy/index.js';
import { formatAddress, type SocketAddress } from '../socket/index.js';
import { ConnectionDecoder, type HeaderField, type Piece, type Side, type WireEvent } from '../wire/index.js';
import type { BodyPolicy } from './bodies.js';
import { daemonVersion } from './daemon-version.js';
import { type EngineRecorder, RecordedEngineConnection } from './engine-connection.js';

/** What a recorder needs of a cassette writer. */
export type Journal = Pick<CassetteWriter, 'append' | 'drained'>;

export class Recorder implements Tap, EngineRecorder {
  /** The daemon's version, once a message has named it. */
  buildkitVersion: string | undefined;
  calls = 0;
  connections = 0;

  /**
   * @param startedAt the monotonic time, in ns, from which the cassette's times count
   * @param onRequest told of each message that a client sends; undefined stands for one that cannot be read here
   */
  constructor(
    readonly journal: Journal,
    private readonly bodies: BodyPolicy,
    readonly startedAt: bigint,
    private readonly onRequest?: (path: string, message: Uint8Array | undefined) => void,
  ) {}

  open(listen: SocketAddress, time: bigint): ConnectionTap {
    return this.openConnection({ address: formatAddress(listen) }, time);
  }

  /** @param address the connection's address as the cassette is to have it, which nobody listens on */
  openAt(address: string, time: bigint): ConnectionTap {
    return this.openConnection({ address }, time);
  }

  /** What watches the connections to a Docker Engine. */
  readonly engine: Tap = {
    open: (listen, time) => {
      this.connections += 1;
      return new RecordedEngineConnection(this.connections, formatAddress(listen), this, time);
    },
  };

  openUpgraded(address: string, upgradeOf: number, time: bigint): ConnectionTap {
    return this.openConnection({ address, upgradeOf }, time);
  }

  /** A client sent a message. */
  requested(path: string, { data, compressed }: { readonly data: readonly Piece[] | undefined; readonly compressed: boolean }): void {
    this.onRequest?.(path, data === undefined || compressed ? undefined : Buffer.concat(data.map(({ bytes, from, to }) => bytes.subarray(from, to))));
  }

  nextCall(): number {
    this.calls += 1;
    return this.calls;
  }

  private openConnection(facts: { readonly address: string; readonly upgradeOf?: number }, time: bigint): ConnectionTap {
    this.connections += 1;
    const connection = this.connections;
    this.journal.append({ kind: 'connection-open', connection, time: time - this.startedAt, ...facts });
    return new RecordedConnection(connection, this.startedAt, this.journal, this.bodies, this);
  }
}

/** A call that is under way: its number in the cassette, and its method while the daemon's version is sought. */
interface OpenCall {
  readonly number: number;
  readonly path: string;
  /** Whether that side will send no more; a call that both have ended is forgotten. */
  clientDone: boolean;
  serverDone: boolean;
}

class RecordedConnection implements ConnectionTap {
  private readonly decoder: ConnectionDecoder;
  private readonly open = new PassingMap<number, OpenCall>();
  private writable = true;
  /** The request header that was read last, and its path: the decoder asks about the bodies, and then tells it. */
  private request: readonly HeaderField[] | undefined;
  private path = '';

  constructor(
    private readonly connection: number,
    private readonly startedAt: bigint,
    private readonly journal: Journal,
    private readonly bodies: BodyPolicy,
    private readonly recorder: Recorder,
  ) {
    this.decoder = new ConnectionDecoder((event) => this.record(event), {
      wantsBody: (_stream, headers) => this.bodies.keeps(this.pathOf(headers)),
    });
  }

  bytes(side: Side, chunk: Uint8Array, time: bigint): boolean {
    this.writable = true;
    this.decoder.push(side, chunk, time);
    return this.writable;
  }

  ready(): Promise<void> {
    return this.journal.drained();
  }

  end(side: Side, time: bigint): void {
    this.decoder.end(side, time);
  }

  close(side: Side, time: bigint, error?: Error): void {
    this.decoder.end('client', time);
    this.decoder.end('server', time);
    this.journal.append({
      kind: 'connection-close',
      connection: this.connection,
      time: time - this.startedAt,
      side,
      ...(error === undefined ? {} : { error: error.message }),
    });
  }

  /** Hot path: see bench/, `npm run bench`. */
  private record(event: WireEvent): void {
    const { connection } = this;
    const time = event.time - this.startedAt;
    switch (event.kind) {
      case 'client-message':
      case 'server-message': {
        const call = this.open.get(event.stream);
        if (call === undefined) return;
        if (event.kind === 'client-message') this.recorder.requested(call.path, event);
        else if (this.recorder.buildkitVersion === undefined) this.seekVersion(call.path, event.data);
        const { kind, compressed, size, data } = event;
        if (!this.journal.append({ kind, connection, call: call.number, time, compressed, size, data })) this.writable = false;
        return;
      }
      case 'client-header': {
        const call = { number: this.recorder.nextCall(), path: this.pathOf(event.headers), clientDone: false, serverDone: false };
        this.open.set(event.stream, call);
        this.append({ kind: event.kind, connection, call: call.number, time, headers: event.headers });
        return;
      }
      case 'server-header':
      case 'server-trailer': {
        const call = this.open.get(event.stream);
        if (call === undefined) return;
        this.append({ kind: event.kind, connection, call: call.number, time, headers: event.headers });
        if (event.kind === 'server-trailer') this.done(event.stream, call, 'server');
        return;
      }
      case 'client-half-close': {
        const call = this.open.get(event.stream);
        if (call === undefined) return;
        this.append({ kind: event.kind, connection, call: call.number, time });
        this.done(event.stream, call, 'client');
        return;
      }
      case 'reset': {
        const call = this.open.get(event.stream);
        if (call === undefined) return;
        this.append({ kind: event.kind, connection, call: call.number, time, side: event.side, code: event.code });
        this.open.delete(event.stream);
        return;
      }
      case 'goaway':
        this.append({ kind: event.kind, connection, time, side: event.side, code: event.code, debug: event.debug });
        return;
      case 'gap': {
        const call = event.stream === undefined ? undefined : this.open.get(event.stream)?.number;
        const { kind, side, offset, bytes, reason } = event;
        this.append({ kind, connection, time, side, offset, bytes, reason, ...(call === undefined ? {} : { call }) });
        return;
      }
      case 'end':
        return;
    }
  }

  private pathOf(headers: readonly HeaderField[]): string {
    if (headers !== this.request) {
      this.request = headers;
      this.path = headerText(headers, ':path') ?? '';
    }
    return this.path;
  }

  private append(event: Parameters<Journal['append']>[0]): void {
    if (!this.journal.append(event)) this.writable = false;
  }

  private done(stream: number, call: OpenCall, side: Side): void {
    if (side === 'client') call.clientDone = true;
    else call.serverDone = true;
    if (call.clientDone && call.serverDone) this.open.delete(stream);
  }

  private seekVersion(path: string, data: readonly Piece[] | undefined): void {
    if (data !== undefined) this.recorder.buildkitVersion = daemonVersion(path, data);
  }
}
