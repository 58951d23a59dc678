// grpc-js as a Stack.
import type { EventEmitter } from 'node:events';
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { anyUnpack, BytesValueSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import { orderBytes, pathOf, RpcStatusSchema } from './echo.js';
import { shownValues, type CallOptions, type Metadata, type Outcome, type Stack, type Stream } from './stack.js';

const serialize = (value: Uint8Array): Buffer => Buffer.from(toBinary(BytesValueSchema, create(BytesValueSchema, { value })));
const deserialize = (bytes: Buffer): Uint8Array => fromBinary(BytesValueSchema, bytes).value;

export function grpcJsStack(address: string, compress: boolean): Stack {
  const algorithm = compress ? grpc.compressionAlgorithms.gzip : grpc.compressionAlgorithms.identity;
  const client = new grpc.Client(address.replace(/^tcp:\/\//, ''), grpc.credentials.createInsecure(), { 'grpc.default_compression_algorithm': algorithm });
  const metadataOf = ({ metadata = [] }: CallOptions): grpc.Metadata => {
    const all = new grpc.Metadata();
    for (const [name, value] of metadata) all.add(name, typeof value === 'string' ? value : Buffer.from(value));
    return all;
  };
  const optionsOf = ({ deadlineMs }: CallOptions): grpc.CallOptions => (deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs });

  return {
    unary: async (method, order, options = {}) => {
      let message: Uint8Array | undefined;
      const call = client.makeUnaryRequest(pathOf(method), serialize, deserialize, orderBytes(order), metadataOf(options), optionsOf(options), (_error, value) => {
        message = value;
      });
      const { ended } = watch(call, options);
      return { ...(await ended), message };
    },
    open: (method, order, options = {}) => {
      const [path, metadata, more] = [pathOf(method), metadataOf(options), optionsOf(options)];
      if (method === 'ServerStream') {
        const call = client.makeServerStreamRequest(path, serialize, deserialize, orderBytes(order), metadata, more);
        return { ...watch(call, options), ...readsFrom(call), ...SENDS_NOTHING };
      }
      if (method === 'Bidi') {
        const call = client.makeBidiStreamRequest(path, serialize, deserialize, metadata, more);
        call.write(orderBytes(order));
        return { ...watch(call, options), ...readsFrom(call), ...writesTo(call) };
      }
      let answer: Uint8Array | undefined;
      const call = client.makeClientStreamRequest(path, serialize, deserialize, metadata, more, (_error: unknown, value?: Uint8Array) => {
        answer = value;
      });
      call.write(orderBytes(order));
      const watched = watch(call, options);
      const receive = async (): Promise<Uint8Array | undefined> => {
        await watched.ended;
        const message = answer;
        answer = undefined;
        return message;
      };
      return { ...watched, receive, ...writesTo(call) };
    },
    close: () => client.close(),
  };
}

function watch(call: EventEmitter & { cancel(): void }, { signal }: CallOptions): Pick<Stream, 'headed' | 'ended'> {
  signal?.addEventListener('abort', () => call.cancel());
  let head: Metadata = {};
  const headed = new Promise<void>((resolve) => {
    call.once('metadata', (metadata: grpc.Metadata) => {
      head = legible(metadata);
      resolve();
    });
  });
  const ended = new Promise<Outcome>((resolve) => {
    call.once('status', ({ code, details: text, metadata }: grpc.StatusObject) => resolve({ code, text, head, tail: legible(metadata), details: detailsOf(metadata) }));
  });
  // The status says it all.
  call.on('error', () => undefined);
  return { headed, ended };
}

function readsFrom(call: grpc.ClientReadableStream<Uint8Array>): Pick<Stream, 'receive'> {
  const messages = call[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  return { receive: () => messages.next().then(({ value }) => value, () => undefined) };
}

function writesTo(call: grpc.ClientWritableStream<Uint8Array> | grpc.ClientDuplexStream<Uint8Array, Uint8Array>): Pick<Stream, 'send' | 'closeSend'> {
  return {
    send: (message) => new Promise((resolve) => void call.write(message, () => resolve())),
    closeSend: () => void call.end(),
  };
}

const SENDS_NOTHING: Pick<Stream, 'send' | 'closeSend'> = { send: () => Promise.reject(new Error('its client sends one message')), closeSend: () => undefined };

function legible(metadata: grpc.Metadata): Metadata {
  return Object.fromEntries(Object.keys(metadata.getMap()).map((name) => [name, shownValues(metadata.get(name))]));
}

function detailsOf(metadata: grpc.Metadata): readonly Uint8Array[] {
  const [encoded] = metadata.get('grpc-status-details-bin');
  if (encoded === undefined || typeof encoded === 'string') return [];
  return fromBinary(RpcStatusSchema, encoded).details.map((any) => {
    const value = anyUnpack(any, BytesValueSchema);
    if (value === undefined) throw new Error(`a detail is a ${any.typeUrl}`);
    return value.value;
  });
}
