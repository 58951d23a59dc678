// The server of src/wire without gRPC, as HTTP/2 programs want one: every request is answered with a short text.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ServerConnection, textField, type ServerStream, type StreamHandler } from '../../../src/wire/index.js';

export interface AnsweringServer {
  readonly port: number;
  close(): Promise<void>;
}

const HEADERS = [textField(':status', '200'), textField('content-type', 'text/plain')];
const TRAILERS = [textField('x-end', 'of the answer')];
const BODY = Buffer.from('an answer');

/** The answer comes when the request is whole. */
function answering(stream: ServerStream): StreamHandler {
  const ended = (): void => {
    stream.sendHeaders(HEADERS, false);
    stream.write(new Uint8Array(0), BODY);
    stream.sendHeaders(TRAILERS, true);
  };
  return { data: () => undefined, ended, cancelled: () => undefined, drained: () => undefined };
}

function serve(socket: Socket): void {
  const write = (): void => {
    for (let chunks = wire.pull(); chunks.length > 0; chunks = wire.pull()) for (const chunk of chunks) socket.write(chunk);
    if (wire.isOver) socket.end();
  };
  // What is said from inside a push is written right after it.
  const wire = new ServerConnection({ request: answering, writable: () => undefined, over: () => undefined });
  socket.on('data', (bytes) => {
    wire.push(bytes);
    write();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => wire.end());
  write();
}

/** On a loopback port. */
export async function startAnsweringServer(): Promise<AnsweringServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
