/**
 * The transport behind `Call`, on grpc-js: takes connections from our own listener, and passes messages through as
 * bytes. This is the one file of the replayer that knows grpc-js.
 */
import * as grpc from '@grpc/grpc-js';
import type { Socket } from 'node:net';

import type { HeaderField } from '../cassette/index.js';
import type { Accept, Call, CallHandler } from './call.js';
import { Status } from './status.js';

/** What Node's HTTP/2 takes in a trailer; a longer one is dropped without an error, and the call's status with it. */
export const MAX_TRAILER_VALUE_BYTES = 65_536;

/** BuildKit's clients and daemons send up to 16 MiB (containerd's defaults); some room above, so that the client's own limit speaks. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const SERVER_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': -1,
  // A solve of a real build can take an hour; no connection is too old for it.
  'grpc.max_connection_age_ms': 2_147_483_647,
};

export interface GrpcServerOptions {
  /** Every method that is served, as `/package.Service/Method`. */
  readonly paths: Iterable<string>;
  readonly accept: Accept;
  /** A status could not be sent as recorded; the call was failed instead. */
  readonly onUnsendable: (path: string, text: string) => void;
}

export interface GrpcServer {
  serve(socket: Socket): void;
  close(): void;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const server = new grpc.Server(SERVER_OPTIONS);
  for (const [service, paths] of groupByService(options.paths)) {
    const definition: Record<string, grpc.MethodDefinition<Buffer, Buffer>> = {};
    const implementation: Record<string, grpc.handleBidiStreamingCall<Buffer, Buffer>> = {};
    for (const path of paths) {
      const name = path.slice(service.length + 2);
      definition[name] = { path, requestStream: true, responseStream: true, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
      implementation[name] = (stream) => serve(stream, path, options);
    }
    server.addService(definition, implementation);
  }
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  return {
    serve: (socket) => {
      // A client that goes away mid-frame is no error of ours.
      socket.on('error', () => undefined);
      injector.injectConnection(socket);
    },
    close: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

const same = (bytes: Buffer): Buffer => bytes;

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

function serve(stream: grpc.ServerDuplexStream<Buffer, Buffer>, path: string, options: GrpcServerOptions): void {
  const handler: CallHandler = options.accept(new GrpcJsCall(stream, path, options.onUnsendable));
  stream.on('data', (payload: Buffer) => handler.message(payload));
  stream.on('end', () => handler.halfClose());
  stream.on('cancelled', () => handler.cancelled());
}

class GrpcJsCall implements Call {
  readonly headers: readonly HeaderField[];
  private ended = false;

  constructor(
    private readonly stream: grpc.ServerDuplexStream<Buffer, Buffer>,
    readonly path: string,
    private readonly onUnsendable: (path: string, text: string) => void,
  ) {
    this.headers = fromMetadata(stream.metadata);
  }

  sendHeaders(headers: readonly HeaderField[]): void {
    if (!this.isOver) this.stream.sendMetadata(toMetadata(headers));
  }

  send(payload: Uint8Array): boolean {
    return this.isOver || this.stream.write(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength));
  }

  drained(): Promise<void> {
    return new Promise((resolve) => {
      this.stream.once('drain', resolve);
      this.stream.once('cancelled', () => resolve());
    });
  }

  end(trailers: readonly HeaderField[]): void {
    if (this.isOver) return;
    this.ended = true;
    const status = readStatus(trailers);
    const tooLong = trailers.find(({ value }) => value.length > MAX_TRAILER_VALUE_BYTES);
    if (tooLong !== undefined) {
      const text =
        `bridgetape: the recorded status of this call has a trailer ${tooLong.name} of ${tooLong.value.length} bytes, ` +
        `and the replayer's HTTP/2 sends at most ${MAX_TRAILER_VALUE_BYTES}; the recorded status was ${status.code}: ${status.details}`;
      this.onUnsendable(this.path, text);
      this.stream.emit('error', { code: status.code === Status.ok ? Status.internal : status.code, details: text.slice(0, MAX_TEXT_CHARS), metadata: new grpc.Metadata() });
      return;
    }
    const metadata = toMetadata(trailers);
    // Not stream.end(metadata): that would make up a grpc-message "OK".
    this.stream.emit('error', { ...status, metadata });
  }

  private get isOver(): boolean {
    return this.ended || this.stream.cancelled || this.stream.destroyed;
  }
}

/** A status message has to pass the same limit, percent-encoded: three bytes a byte at worst. */
const MAX_TEXT_CHARS = 16_000;

function readStatus(trailers: readonly HeaderField[]): { readonly code: number; readonly details: string } {
  const value = (name: string): string => Buffer.from(trailers.find((field) => field.name === name)?.value ?? []).toString('latin1');
  const code = /^\d{1,3}$/.test(value('grpc-status')) ? Number(value('grpc-status')) : Status.unknown;
  return { code, details: percentDecode(value('grpc-message')) };
}

function percentDecode(text: string): string {
  const bytes = text.replace(/%([0-9a-fA-F]{2})/g, (_match, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Fields that grpc-js or HTTP/2 writes itself. */
const OWN_FIELDS = new Set(['content-type', 'date', 'te', 'trailer', 'grpc-status', 'grpc-message', 'grpc-encoding', 'grpc-accept-encoding', 'grpc-timeout', 'user-agent']);

function toMetadata(headers: readonly HeaderField[]): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const { name, value } of headers) {
    if (name.startsWith(':') || OWN_FIELDS.has(name)) continue;
    const text = Buffer.from(value).toString('latin1');
    metadata.add(name, name.endsWith('-bin') ? Buffer.from(text, 'base64') : text);
  }
  return metadata;
}

function fromMetadata(metadata: grpc.Metadata): readonly HeaderField[] {
  return Object.keys(metadata.getMap()).flatMap((name) =>
    metadata.get(name).map((value) => ({ name, value: typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.from(value.toString('base64'), 'latin1') })),
  );
}
