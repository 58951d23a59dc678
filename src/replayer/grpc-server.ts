/**
 * The transport behind `Call`: our own HTTP/2 over any duplex stream (a socket of any kind, a child's stdio). What has
 * rules is in src/wire; here are the reads, the writes, and the timers.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { PassingSet } from '../passing.js';
import { ErrorCode, type GrpcCall, type GrpcHandler, grpcRequests, type ServeLimits, ServerConnection, type ServerSink, Status, statusTrailers } from '../wire/index.js';
import type { HeaderField } from '../cassette/index.js';
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';
import { type Clock, NS_PER_MS, systemClock } from './clock.js';
import { Deadlines, type Expiring, type Slot } from './deadlines.js';
import type { Hearing } from './hearing.js';
import { internalError } from './internal-error.js';

export interface GrpcServerOptions {
  readonly accept: AcceptTransport;
  /** A status could not be sent as recorded; the call was failed instead. */
  readonly onUnsendable: (path: string, text: string) => void;
  /** A connection, or an answered call, was ended for an error: the client's, or one that it met; the text says which. */
  readonly onBroken: (text: string, what: 'connection' | 'call') => void;
  /** A handler threw: a bug in bridgetape. The call was failed with INTERNAL. */
  readonly onCrash: (error: unknown, path: string) => void;
  readonly clock?: Clock;
  /** Told when bytes come. */
  readonly hearing?: Hearing | undefined;
  readonly limits?: Partial<ServeLimits>;
}

/** What is left of a connection when it is over: the client may take so long to close its side, in ms. */
const LINGER_MS = 1000;

const atTheEndOfThisTurn = (write: () => void): void => process.nextTick(write);

export class GrpcServer {
  private readonly connections = new Set<ServedConnection>();
  private readonly deadlines: Deadlines;
  private closing = false;

  constructor(private readonly options: GrpcServerOptions) {
    this.deadlines = new Deadlines(options.clock ?? systemClock);
  }

  /**
   * Serves the client at the other end, until it or the server closes. The stream is the server's from here on.
   *
   * @param accept takes this client's calls, when not what takes those of all others
   */
  serve(duplex: Duplex, accept = this.options.accept): void {
    if (this.closing) {
      duplex.destroy();
      return;
    }
    const connection = new ServedConnection(duplex, { ...this.options, accept }, this.deadlines, () => this.connections.delete(connection));
    this.connections.add(connection);
  }

  /**
   * Takes no new calls, and gives the open ones `graceMs` to end; what is open then is cut with UNAVAILABLE. Called again
   * with none, it cuts them at once.
   *
   * @returns resolves when every connection is closed
   */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    const closed = Promise.all([...this.connections].map((connection) => connection.closed));
    if (graceMs <= 0) {
      this.cut();
      await closed;
      this.deadlines.close();
      return;
    }
    for (const connection of this.connections) connection.drain();
    const { clock = systemClock } = this.options;
    const cancel = clock.at(clock.now() + BigInt(Math.round(graceMs)) * NS_PER_MS, () => this.cut());
    await closed;
    cancel();
    this.deadlines.close();
  }

  private cut(): void {
    for (const connection of this.connections) connection.cut();
  }
}

class ServedConnection {
  readonly closed: Promise<void>;
  private readonly wire: ServerConnection;
  private readonly calls = new PassingSet<ServedCall>();
  /** Bytes are being pushed: what comes of them is written after that. */
  private reading = false;
  private scheduled = false;
  /** It is being ended as a client is to see it end, which is nobody's error. */
  private isFaulted = false;
  private isBroken = false;
  private linger: (() => void) | undefined;

  constructor(
    private readonly duplex: Duplex,
    private readonly options: GrpcServerOptions,
    private readonly deadlines: Deadlines,
    onClosed: () => void,
  ) {
    const sink: ServerSink = {
      request: grpcRequests((call) => this.accept(call)),
      writable: () => this.schedule(),
      over: (code, reason) => {
        if (code !== ErrorCode.NO_ERROR && !this.isFaulted) this.options.onBroken(`a client's connection broke: ${reason}`, 'connection');
        this.schedule();
      },
      refused: (reason) => this.options.onBroken(reason, 'call'),
    };
    this.wire = new ServerConnection(sink, options.limits === undefined ? {} : { limits: options.limits });
    this.closed = new Promise((resolve) => {
      duplex.once('close', () => {
        this.linger?.();
        this.wire.end();
        onClosed();
        resolve();
      });
    });
    duplex.on('data', (chunk: Uint8Array) => this.read(chunk));
    duplex.on('drain', () => this.write());
    duplex.once('end', () => {
      this.wire.end();
      this.write();
    });
    // A client that goes away mid-frame is no error of ours: `close` follows.
    duplex.on('error', () => undefined);
  }

  drain(): void {
    this.wire.drain();
    this.write();
  }

  /** Ends every call, and the connection after them. */
  cut(): void {
    for (const call of [...this.calls]) call.cut();
    this.wire.abort(ErrorCode.NO_ERROR, 'the server is ending');
    this.write();
    // A client that does not read gets no more time.
    if (this.duplex.writableLength > 0) this.duplex.destroy();
    else this.duplex.once('finish', () => this.duplex.destroy());
  }

  /** As a fault has it: takes no new calls, or with any code but NO_ERROR is over at once. */
  goAway(code: number): void {
    if (code === ErrorCode.NO_ERROR) {
      this.wire.drain();
    } else {
      this.isFaulted = true;
      this.wire.abort(code, 'a fault of the replay');
    }
    this.schedule();
  }

  /** As a fault has it: what was said goes out, as far as there is room for it, and then nothing more is heard or said. */
  breakOff(): void {
    this.isFaulted = true;
    this.isBroken = true;
    this.wire.end();
    process.nextTick(() => {
      this.write();
      hangUp(this.duplex);
    });
  }

  private accept(wire: GrpcCall): GrpcHandler {
    const call = new ServedCall(wire, this.options, this.deadlines, this, () => this.calls.delete(call));
    this.calls.add(call);
    call.begin();
    return call;
  }

  private read(chunk: Uint8Array): void {
    const { hearing } = this.options;
    this.reading = true;
    hearing?.begin();
    this.wire.push(chunk);
    hearing?.end();
    this.reading = false;
    if (hearing === undefined) this.write();
    else this.schedule((write) => hearing.onceAllIsRead(write));
  }

  /** All that is said in one turn of the loop, or until what came before it is read, is written at once. */
  private schedule(later = atTheEndOfThisTurn): void {
    if (this.reading || this.scheduled) return;
    this.scheduled = true;
    later(() => {
      this.scheduled = false;
      this.write();
    });
  }

  private write(): void {
    const { duplex, wire } = this;
    while (!duplex.writableNeedDrain && !duplex.writableEnded && !duplex.destroyed) {
      const chunks = wire.pull();
      if (chunks.length === 0) {
        if (wire.isOver) this.end();
        return;
      }
      this.options.hearing?.says();
      if (chunks.length > 1) duplex.cork();
      for (const chunk of chunks) duplex.write(chunk);
      if (chunks.length > 1) duplex.uncork();
    }
  }

  /** What was written has to reach the client, which may be sending still: its side is read until it closes. */
  private end(): void {
    if (this.isBroken) {
      hangUp(this.duplex);
      return;
    }
    this.duplex.end();
    const timer = setTimeout(() => this.duplex.destroy(), LINGER_MS);
    timer.unref();
    this.linger = () => clearTimeout(timer);
  }
}

/** Closes the transport at once: with RST over TCP; a unix socket or TLS has nothing like it. */
function hangUp(duplex: Duplex): void {
  if (duplex.destroyed) return;
  const isTcp = duplex instanceof Socket && duplex.remoteAddress !== undefined && !('encrypted' in duplex);
  if (isTcp) duplex.resetAndDestroy();
  else duplex.destroy();
}

/** Shorter ones are kept to the millisecond; of longer ones a client has given up by itself before this side does. */
const COARSE_FROM = 1000n * NS_PER_MS;

/** One call between the wire and the replayer's handler. */
class ServedCall implements TransportCall, GrpcHandler, Expiring {
  private handler: CallHandler | undefined;
  private over = false;
  private cancelDeadline: (() => void) | undefined;
  private slot: Slot | undefined;

  constructor(
    private readonly wire: GrpcCall,
    private readonly options: GrpcServerOptions,
    private readonly deadlines: Deadlines,
    private readonly connection: Pick<ServedConnection, 'goAway' | 'breakOff'>,
    private readonly done: () => void,
  ) {}

  get path(): string {
    return this.wire.path;
  }

  get headers(): readonly HeaderField[] {
    return this.wire.headers;
  }

  begin(): void {
    const { timeout } = this.wire;
    if (timeout !== undefined) {
      const { clock = systemClock } = this.options;
      const due = clock.now() + timeout;
      if (timeout < COARSE_FROM) this.cancelDeadline = clock.at(due, () => this.expire());
      else this.slot = this.deadlines.add(this, due);
    }
    this.guarded(() => {
      this.handler = this.options.accept(this);
    });
  }

  expire(): void {
    this.stop(Status.deadlineExceeded, 'the deadline of the call has passed');
  }

  /** The connection is ending. */
  cut(): void {
    this.stop(Status.unavailable, 'bridgetape: the replay has ended');
  }

  // ---- the server's side, from the replayer

  sendHeaders(headers: readonly HeaderField[]): void {
    this.wire.sendHeaders(headers);
  }

  send(payload: Uint8Array, head?: Uint8Array): boolean {
    return this.wire.send(payload, false, head);
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.over) return;
    if (!this.wire.end(trailers)) {
      const text = 'bridgetape: the recorded status of this call is longer than the header list that this client has said it takes (SETTINGS_MAX_HEADER_LIST_SIZE)';
      this.options.onUnsendable(this.path, text);
      if (!this.wire.end(statusTrailers(Status.internal, text))) this.wire.reset(ErrorCode.INTERNAL_ERROR);
    }
    this.finish();
  }

  reset(code: number): void {
    if (this.over) return;
    this.wire.reset(code);
    this.finish();
  }

  // ---- what faults do

  sendPart(payload: Uint8Array, bytes: number): void {
    this.wire.sendPart(payload, bytes);
  }

  goAway(code: number): void {
    if (this.over) return;
    if (code !== ErrorCode.NO_ERROR) this.finish();
    this.connection.goAway(code);
  }

  breakOff(): void {
    if (this.over) return;
    this.finish();
    this.connection.breakOff();
  }

  holdWindow(onRead: (bytes: number) => void): void {
    this.wire.holdWindow(onRead);
  }

  giveBack(bytes: number): void {
    this.wire.giveBack(bytes);
  }

  // ---- the client's side, from the wire

  /** Hot path (bench: replay). */
  message(payload: Uint8Array): void {
    if (this.over) return;
    try {
      this.handler?.message(payload);
    } catch (error) {
      this.crashed(error);
    }
  }

  halfClose(): void {
    if (this.over) return;
    try {
      this.handler?.halfClose();
    } catch (error) {
      this.crashed(error);
    }
  }

  cancelled(): void {
    if (this.over) return;
    this.finish();
    this.guarded(() => this.handler?.cancelled());
  }

  drained(): void {
    if (!this.over) this.guarded(() => this.handler?.drained());
  }

  private stop(code: number, message: string): void {
    if (this.over) return;
    this.end(statusTrailers(code, message));
    this.guarded(() => this.handler?.cancelled());
  }

  private finish(): void {
    this.over = true;
    this.cancelDeadline?.();
    if (this.slot !== undefined) this.deadlines.remove(this, this.slot);
    this.done();
  }

  private guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.crashed(error);
    }
  }

  /** What is thrown in a handler would end the process: the call fails instead, and nobody else's. */
  private crashed(error: unknown): void {
    this.options.onCrash(error, this.path);
    if (this.over) return;
    this.end(statusTrailers(Status.internal, internalError(error)));
    this.handler?.cancelled();
  }
}
