/** Stands in for a Docker Engine: HTTP/1.1 by Node's own server, and what it does not do (hijacking, h2c) by hand. */
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Duplex } from 'node:stream';

export const VERSION = JSON.stringify({ Version: '20.10', ApiVersion: '1.41' });
export const SECRET = 'hunter2';
export const INFO = JSON.stringify({ Name: 'engine', HttpProxy: `http://me:${SECRET}@proxy:8080`, RegistryConfig: { Mirrors: [`https://h/${SECRET}`] } });

/** Answers `_ping`, version, info and images; upgrades to h2c at /grpc and /session, to tcp at anything else. */
export function engine(): Server {
  const bridge = createHttp2Server();
  bridge.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume().once('end', () => stream.end(Buffer.from([0, 0, 0, 0, 2, 0x68, 0x69])));
  });
  const server = createServer((request, response) => {
    const path = request.url?.replace(/^\/v[\d.]+|\?.*$/g, '') ?? '';
    response.setHeader('api-version', '1.41');
    response.setHeader('set-cookie', SECRET);
    request.resume().once('end', () => {
      switch (path) {
        case '/_ping':
          response.end('OK');
          return;
        case '/version':
          response.end(VERSION);
          return;
        case '/info':
          response.write(INFO.slice(0, 5));
          response.end(INFO.slice(5));
          return;
        case '/images/json':
          response.end(JSON.stringify([{ Labels: { secret: SECRET } }]));
          return;
        default:
          response.statusCode = 404;
          response.end(JSON.stringify({ message: `no ${SECRET}` }));
      }
    });
  });
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    const protocol = String(request.headers.upgrade);
    socket.write(`HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
    if (head.length > 0) socket.unshift(head);
    if (request.url === '/grpc') bridge.emit('connection', socket);
    // What comes goes back.
    else socket.pipe(socket);
  });
  return server;
}
