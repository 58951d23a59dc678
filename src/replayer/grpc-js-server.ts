/**
 * The transport behind `Call`, on grpc-js: takes connections from our own listener, and passes messages through as
 * bytes. This is the one file of the replayer that knows grpc-js.
 *
 * Calls are served from a server interceptor, below grpc-js's streams: those send a message only when the one before
 * it has been written, and cost half of a short call (bench: replay).
 */
import * as grpc from '@grpc/grpc-js';
import type { Socket } from 'node:net';

import type { HeaderField } from '../cassette/index.js';
import type { Accept, Call, CallHandler } from './call.js';
import { internalError } from './status.js';

/** BuildKit's clients and daemons send up to 16 MiB (containerd's defaults); some room above, so that the client's own limit speaks. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const SERVER_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': -1,
  // A solve of a real build can take an hour; no connection is too old for it.
  'grpc.max_connection_age_ms': 2_147_483_647,
  'grpc.enable_channelz': 0,
};

/**
 * So much of a call may wait to be written. Of 8 KiB to 1 MiB this did best, with small messages and with large ones
 * (bench: exec output): a Go client begins with a window of 64 KiB, and more than it takes only lies in memory.
 */
const MAX_UNSENT_BYTES = 32 * 1024;

export interface GrpcServerOptions {
  /** Every method that is served, as `/package.Service/Method`. */
  readonly paths: Iterable<string>;
  readonly accept: Accept;
  /** A status could not be sent as recorded; the call was failed instead. */
  readonly onUnsendable: (path: string, text: string) => void;
  /** A handler threw: a bug in bridgetape. The call was failed with INTERNAL. */
  readonly onCrash: (error: unknown, path: string) => void;
}

export interface GrpcServer {
  serve(socket: Socket): void;
  /** Ends every connection at once. */
  close(): void;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new grpc.Server({ ...SERVER_OPTIONS, interceptors: [(method, call) => new ServedCall(call, method.path, options)] });
  for (const [service, paths] of groupByService(options.paths)) {
    const definition: Record<string, grpc.MethodDefinition<Buffer, Buffer>> = {};
    const implementation: Record<string, grpc.handleBidiStreamingCall<Buffer, Buffer>> = {};
    for (const path of paths) {
      const name = path.slice(service.length + 2);
      definition[name] = { path, requestStream: true, responseStream: true, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
      implementation[name] = neverReached;
    }
    server.addService(definition, implementation);
  }
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  return {
    serve: (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      // A client that goes away mid-frame is no error of ours.
      socket.on('error', () => undefined);
      injector.injectConnection(socket);
    },
    close: () => {
      injector.destroy();
      server.forceShutdown();
      // A client that never spoke has no session to shut down.
      for (const socket of sockets) socket.destroy();
    },
  };
}

const same = (bytes: Buffer): Buffer => bytes;
/** The interceptor answers; grpc-js asks for a handler all the same. */
const neverReached = (): void => undefined;

function groupByService(paths: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const services = new Map<string, Set<string>>();
  for (const path of paths) {
    const service = /^\/([^/]+)\/[^/]+$/.exec(path)?.[1];
    if (service === undefined) continue;
    const known = services.get(service) ?? new Set();
    services.set(service, known.add(path));
  }
  return services;
}

/** One call: what comes in goes to the replayer's handler, and never to one of grpc-js. */
class ServedCall extends grpc.ServerInterceptingCall implements Call, grpc.ServerInterceptingCallInterface {
  headers: readonly HeaderField[] = [];
  private handler: CallHandler | undefined;
  private ended = false;
  private unsent = 0;
  private blocked = false;

  constructor(
    private readonly wire: grpc.ServerInterceptingCallInterface,
    readonly path: string,
    private readonly options: GrpcServerOptions,
  ) {
    super(wire);
  }

  /** grpc-js is ready to serve the call; its listener would lead to the handler that is never reached. */
  override start(): void {
    this.wire.start({
      onReceiveMetadata: (metadata: grpc.Metadata) => {
        this.headers = fromMetadata(metadata);
        this.guarded(() => {
          this.handler = this.options.accept(this);
          this.wire.startRead();
        });
      },
      onReceiveMessage: (payload: Buffer) => {
        if (this.ended) return;
        this.guarded(() => this.handler?.message(payload));
        this.wire.startRead();
      },
      onReceiveHalfClose: () => {
        if (!this.ended) this.guarded(() => this.handler?.halfClose());
      },
      // Also said of a call that has ended well.
      onCancel: () => {
        if (this.ended) return;
        this.ended = true;
        this.guarded(() => this.handler?.cancelled());
      },
    });
  }

  sendHeaders(headers: readonly HeaderField[]): void {
    if (!this.ended) this.wire.sendMetadata(toMetadata(headers) ?? NO_METADATA);
  }

  /** Hot path: for each message that is replayed. */
  send(payload: Uint8Array): boolean {
    if (this.ended) return true;
    const { length } = payload;
    this.unsent += length;
    this.wire.sendMessage(Buffer.from(payload.buffer, payload.byteOffset, length), () => this.written(length));
    if (this.unsent <= MAX_UNSENT_BYTES) return true;
    this.blocked = true;
    return false;
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.ended) return;
    this.ended = true;
    const status = readStatus(trailers);
    const metadata = toMetadata(trailers) ?? null;
    const bytes = metadata === null && status.details === '' ? 0 : trailerBytes(status.details, metadata);
    if (bytes <= MAX_TRAILER_BYTES) {
      this.wire.sendStatus({ ...status, metadata });
      return;
    }
    const text =
      `bridgetape: the recorded status of this call takes ${bytes} bytes of trailers, and the replayer's HTTP/2 sends at most ${MAX_TRAILER_BYTES}; ` +
      `the recorded status was ${status.code}: ${status.details}`;
    this.options.onUnsendable(this.path, text);
    this.wire.sendStatus({ code: status.code === grpc.status.OK ? grpc.status.INTERNAL : status.code, details: sendable(text), metadata: null });
  }

  private written(length: number): void {
    this.unsent -= length;
    if (!this.blocked || this.unsent > MAX_UNSENT_BYTES / 2) return;
    this.blocked = false;
    if (!this.ended) this.guarded(() => this.handler?.drained());
  }

  /** What is thrown here would end the process: the call fails instead, and nobody else's. */
  private guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.options.onCrash(error, this.path);
      if (this.ended) return;
      this.ended = true;
      this.wire.sendStatus({ code: grpc.status.INTERNAL, details: sendable(internalError(error)), metadata: null });
      this.handler?.cancelled();
    }
  }
}

/**
 * What Node's HTTP/2 sends of headers at once (nghttp2's NGHTTP2_MAX_HEADERSLEN, by its own estimate of what a block
 * takes). Longer trailers are dropped without an error, and the call's status with them.
 */
export const MAX_TRAILER_BYTES = 65_536;
/** nghttp2_hd_deflate_bound: so much for a block, and for each field beside its name and value. */
const BLOCK_BYTES = 12;
const FIELD_BYTES = 12;
/** The fields that grpc-js adds: grpc-status, and for a call without an answer :status, content-type and date. */
const OWN_FIELD_BYTES = 200;

function trailerBytes(details: string, metadata: grpc.Metadata | null): number {
  let bytes = BLOCK_BYTES + OWN_FIELD_BYTES + FIELD_BYTES + 'grpc-message'.length + encodeURI(details).length;
  for (const [name, values] of Object.entries(metadata?.toHttp2Headers() ?? {})) {
    const all = Array.isArray(values) ? values : [values];
    for (const value of all) bytes += FIELD_BYTES + name.length + String(value).length;
  }
  return bytes;
}

/** Of a text of our own so much as surely fits: grpc-js writes up to nine characters for one. */
const MAX_TEXT_CHARS = 7_000;

/** A text of our own that can be sent: grpc-js ends the process over half a pair of surrogates. */
function sendable(text: string): string {
  const short = text.length <= MAX_TEXT_CHARS ? text : `${text.slice(0, MAX_TEXT_CHARS).replace(/[\ud800-\udbff]$/, '')}…`;
  return Buffer.from(short, 'utf8').toString('utf8');
}

function readStatus(trailers: readonly HeaderField[]): { readonly code: grpc.status; readonly details: string } {
  let code = grpc.status.UNKNOWN;
  let details = '';
  for (const { name, value } of trailers) {
    if (name === 'grpc-status') code = readCode(latin1(value));
    else if (name === 'grpc-message') details = percentDecode(latin1(value));
  }
  return { code, details };
}

function readCode(text: string): grpc.status {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- a code that the enum does not have goes out as it was recorded
  return /^\d{1,3}$/.test(text) ? Number(text) : grpc.status.UNKNOWN;
}
const latin1 = (bytes: Uint8Array): string => (bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));

function percentDecode(text: string): string {
  if (!text.includes('%')) return text;
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Fields that grpc-js or HTTP/2 writes itself. */
const OWN_FIELDS = new Set(['content-type', 'date', 'te', 'trailer', 'grpc-status', 'grpc-message', 'grpc-encoding', 'grpc-accept-encoding', 'grpc-timeout', 'user-agent']);

/** Shared by all calls; grpc-js only reads it. */
const NO_METADATA = new grpc.Metadata();

/** Undefined when nothing is left for grpc-js to send. */
function toMetadata(headers: readonly HeaderField[]): grpc.Metadata | undefined {
  let metadata: grpc.Metadata | undefined;
  for (const { name, value } of headers) {
    if (name.startsWith(':') || OWN_FIELDS.has(name)) continue;
    metadata ??= new grpc.Metadata();
    const text = latin1(value);
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(text, 'base64') : text);
  }
  return metadata;
}

function fromMetadata(metadata: grpc.Metadata): readonly HeaderField[] {
  return Object.keys(metadata.getMap()).flatMap((name) =>
    metadata.get(name).map((value) => ({ name, value: typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value.toString('base64'), 'latin1') })),
  );
}
