/** TLS around sockets that were accepted: what buildkitd's flags for certificates ask for. */
import type { Socket } from 'node:net';

import { readAuthority, readIdentity } from './pem.js';
import { closeOnError, tlsReason } from './tls-reason.js';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Left out: any client is let in; else only one with a certificate that this one signed. */
  readonly clientAuthority?: string;
}

export interface TlsServer {
  /** Takes a socket through the handshake. */
  readonly handshake: (socket: Socket) => void;
  /** Drops who comes through later. */
  readonly close: () => void;
}

/** As long as grpc-go gives a handshake: who is silent for longer holds a socket for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Reads the files, and gives what takes accepted sockets through the handshake. Those must not allow half-open: who ends
 * within the handshake is gone.
 *
 * @param allowHalfOpen whether the stream inside stays open for writing when its client has ended
 * @param accept gets the stream inside
 * @param refused told why a client was dropped
 * @throws BridgetapeError `bad-argument` for files that can't be read or hold no certificate and its key
 */
export async function tlsServer(files: TlsFiles, allowHalfOpen: boolean, accept: (stream: Socket) => void, refused: (why: string) => void): Promise<TlsServer> {
  // Seldom asked for, and costly to load.
  const { createServer } = await import('node:tls');
  const { certificate, key, clientAuthority } = files;
  const identity = readIdentity({ certificate, key, options: { certificate: '--listen-tlscert', key: '--listen-tlskey' } });
  const ca = clientAuthority === undefined ? undefined : readAuthority(clientAuthority, '--listen-tlscacert');
  const asksClients = ca !== undefined;
  let closed = false;
  const server = createServer(
    {
      ...identity,
      ca,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // gRPC's clients ask for HTTP/2 and go away when they do not get it; one that asks for nothing is served.
      ALPNProtocols: ['h2'],
      requestCert: asksClients,
      rejectUnauthorized: asksClients,
    },
    (stream) => {
      if (closed) {
        stream.destroy();
        return;
      }
      stream.allowHalfOpen = allowHalfOpen;
      closeOnError(stream);
      accept(stream.ref());
    },
  );
  server.on('tlsClientError', (error, stream) => {
    // A code, where a certificate was shown and is not good: its declared type is that of the client's side.
    const { authorizationError: unfit }: { readonly authorizationError: unknown } = stream;
    refused(tlsReason(unfit ?? error));
  });
  return {
    handshake: (socket) => {
      // Who is not through yet keeps no process alive.
      socket.unref();
      // It never listens: the sockets are those of our own listener.
      server.emit('connection', socket);
    },
    close: () => {
      closed = true;
    },
  };
}
