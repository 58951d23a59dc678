// connect-es, over its gRPC transport for Node, as a Stack.
import { connect } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { BytesValueSchema, type BytesValue } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient, decodeBinaryHeader, encodeBinaryHeader, type CallOptions as ConnectOptions, type Client } from '@connectrpc/connect';
import { compressionGzip, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Echo, orderBytes, type StreamMethod } from './echo.js';
import { shownValues, type CallOptions, type Metadata, type Outcome, type Stack } from './stack.js';

const bytesValue = (value: Uint8Array): BytesValue => create(BytesValueSchema, { value });

export function connectStack(address: string, compress: boolean): Stack {
  const isUnix = address.startsWith('unix://');
  const baseUrl = isUnix ? 'http://localhost' : address.replace(/^tcp:/, 'http:');
  const sessionManager = new Http2SessionManager(baseUrl, {}, isUnix ? { createConnection: () => connect(address.slice('unix://'.length)) } : {});
  const client = createClient(Echo, createGrpcTransport({ baseUrl, sessionManager, ...(compress ? { sendCompression: compressionGzip, compressMinBytes: 0 } : {}) }));
  return {
    unary: async (method, order, options = {}) => {
      const watched = watch(options);
      const request = bytesValue(orderBytes(order));
      const name = method === 'Unary' ? 'unary' : method === 'Await' ? 'await' : 'release';
      const message = await client[name](request, watched.options).then(({ value }) => value, watched.failed);
      return { ...watched.outcome(), message };
    },
    open: (method, order, options = {}) => {
      const watched = watch(options);
      const outbox = new Outbox();
      const first = bytesValue(orderBytes(order));
      void outbox.send(first);
      const messages = start(client, method, outbox, first, watched.options);
      // The call begins with this: a connect client does nothing before somebody reads.
      let next: Promise<IteratorResult<Uint8Array, undefined>> | undefined = messages.next();
      const { promise: ended, resolve: end } = deferred<Outcome>();
      return {
        send: (message) => outbox.send(bytesValue(message)),
        closeSend: () => outbox.close(),
        headed: watched.headed,
        receive: async () => {
          const value = await (next ?? messages.next()).then((result) => result.value, watched.failed);
          next = undefined;
          if (value === undefined) {
            outbox.abandon();
            end(watched.outcome());
          }
          return value;
        },
        ended,
      };
    },
    close: () => sessionManager.abort(),
  };
}

/** The messages of a call's answer, whatever its kind. */
function start(client: Client<typeof Echo>, method: StreamMethod, outbox: Outbox, order: BytesValue, options: ConnectOptions): AsyncIterator<Uint8Array, undefined> {
  switch (method) {
    case 'ServerStream':
      return values(client.serverStream(order, options));
    case 'ClientStream':
      return values(single(client.clientStream(outbox, options)));
    case 'Bidi':
      return values(client.bidi(outbox, options));
  }
}

async function* single<T>(promise: Promise<T>): AsyncGenerator<T, void> {
  yield await promise;
}

async function* values(messages: AsyncIterable<BytesValue>): AsyncGenerator<Uint8Array, undefined> {
  for await (const { value } of messages) yield value;
  return undefined;
}

interface Watched {
  readonly options: ConnectOptions;
  readonly headed: Promise<void>;
  /** Keeps what the call failed with. */
  readonly failed: (error: unknown) => undefined;
  readonly outcome: () => Outcome;
}

function watch({ signal, deadlineMs, metadata = [] }: CallOptions): Watched {
  const headers = new Headers();
  for (const [name, value] of metadata) headers.append(name, typeof value === 'string' ? value : encodeBinaryHeader(value));
  const headed = deferred();
  let outcome: Outcome = { code: 0, text: '', head: {}, tail: {}, details: [] };
  return {
    options: {
      headers,
      ...(signal === undefined ? {} : { signal }),
      ...(deadlineMs === undefined ? {} : { timeoutMs: deadlineMs }),
      onHeader: (fields) => {
        outcome = { ...outcome, head: legible(fields) };
        headed.resolve();
      },
      onTrailer: (fields) => {
        outcome = { ...outcome, tail: legible(fields) };
      },
    },
    headed: headed.promise,
    failed: (error) => {
      const failure = ConnectError.from(error);
      const details = failure.findDetails(BytesValueSchema).map(({ value }) => value);
      outcome = { ...outcome, code: failure.code, text: failure.rawMessage, tail: legible(failure.metadata), details };
      return undefined;
    },
    outcome: () => outcome,
  };
}

function legible(fields: Headers): Metadata {
  const shown: Record<string, string> = {};
  for (const [name, value] of fields) shown[name] = name.endsWith('-bin') ? shownValues(value.split(/, */).map((one) => decodeBinaryHeader(one))) : value;
  return shown;
}

/** Messages on their way out, handed over one at a time. */
class Outbox implements AsyncIterable<BytesValue> {
  private readonly waiting: { readonly message: BytesValue; readonly taken: () => void }[] = [];
  private closed = false;
  private wake = deferred();

  /** Resolves when the transport has taken the message, or will take no more. */
  send(message: BytesValue): Promise<void> {
    if (this.closed) return Promise.resolve();
    const { promise, resolve } = deferred();
    this.waiting.push({ message, taken: resolve });
    this.wake.resolve();
    return promise;
  }

  close(): void {
    this.closed = true;
    this.wake.resolve();
  }

  /** Nobody takes any more. */
  abandon(): void {
    this.close();
    for (const { taken } of this.waiting.splice(0)) taken();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BytesValue, void> {
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        next.taken();
        yield next.message;
      } else if (this.closed) {
        return;
      } else {
        this.wake = deferred();
        await this.wake.promise;
      }
    }
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function deferred<T = void>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
