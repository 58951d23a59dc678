/** TLS around sockets that were accepted: what buildkitd's flags of the same names ask for. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { BridgetapeError } from '../errors.js';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Left out: any client is let in; else only one with a certificate that this one signed. */
  readonly clientAuthority?: string;
}

/**
 * Reads the files, and gives what takes an accepted socket through the handshake.
 *
 * @param accept gets the stream inside; a client that fails the handshake is dropped
 * @throws BridgetapeError `bad-argument` for files that can't be read or hold no certificate and its key
 */
export async function overTls(files: TlsFiles, accept: (stream: Duplex) => void): Promise<(socket: Socket) => void> {
  // Seldom asked for, and costly to load.
  const { createServer } = await import('node:tls');
  const cert = read('--tlscert', files.certificate);
  const key = read('--tlskey', files.key);
  const ca = files.clientAuthority === undefined ? undefined : read('--tlscacert', files.clientAuthority);
  const asksClients = ca !== undefined;
  try {
    // gRPC's clients ask for HTTP/2 and go away when they do not get it.
    const server = createServer({ cert, key, ca, minVersion: 'TLSv1.2', ALPNProtocols: ['h2'], requestCert: asksClients, rejectUnauthorized: asksClients }, accept);
    return (socket) => {
      // It never listens: the sockets are those of our own listener.
      server.emit('connection', socket);
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BridgetapeError('bad-argument', `No certificate with its key: ${files.certificate} and ${files.key} (${why}).`, 'Name PEM files that belong together with --tlscert and --tlskey.', { cause: error });
  }
}

function read(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BridgetapeError('bad-argument', `Cannot read ${path} of ${flag}: ${why}.`, 'Name a PEM file.', { cause: error });
  }
}
