/** Dialling the daemon, in each way that buildctl has: a socket, TLS on it, or a program's stdin and stdout. */
import { connect } from 'node:net';

import { checkAddress, closeOnError, tlsClient, type Address, type TlsClientOptions } from '../socket/index.js';
import { HelperProcess } from './helper-process.js';
import type { End, Reader } from './splice.js';

export interface Dialled {
  readonly stream: End;
  /** The event that says that the daemon can be spoken to. Before it, an error says that it cannot. */
  readonly opened: 'connect' | 'secureConnect';
}

/** @param reader told of all that is read, from `opened` on */
export type Dial = (reader: Reader) => Dialled;

/**
 * What answers is read into one buffer, and copied out at its own length: Node's way, 64 KiB of new memory for
 * each read however little comes, costs more than the copy, most of it in garbage collection (bench/).
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * @param say gets the lines that a connection helper prints on stderr
 * @throws BridgetapeError `bad-argument` for TLS options that can't be used, `bad-address` for an address that is none
 */
export async function dialler(address: Address, tlsOptions: TlsClientOptions, say: (line: string) => void): Promise<Dial> {
  checkAddress(address);
  const tls = await tlsClient(address, tlsOptions);
  switch (address.kind) {
    case 'unix':
      return (reader) => ({ stream: connect({ path: address.path, allowHalfOpen: true, onread: into(reader) }), opened: 'connect' });
    case 'tcp': {
      const { host, port } = address;
      if (tls === undefined) return (reader) => ({ stream: connect({ host, port, allowHalfOpen: true, noDelay: true, onread: into(reader) }), opened: 'connect' });
      const { connect: connectTls } = await import('node:tls');
      return (reader) => {
        // Two of net.connect's options, which node:tls takes too and its types do not know.
        const more = { allowHalfOpen: true, onread: into(reader) };
        const stream = connectTls({ ...tls, ...more, host, port });
        // connect() takes no heed of the option here.
        stream.setNoDelay(true);
        closeOnError(stream);
        return { stream, opened: 'secureConnect' };
      };
    }
    case 'helper':
      return (reader) => {
        const stream = new HelperProcess(address, say);
        stream.on('data', (chunk: Buffer) => reader.read(chunk));
        stream.pause();
        return { stream, opened: 'connect' };
      };
  }
}

function into(reader: Reader): { readonly buffer: Uint8Array; readonly callback: (length: number, buffer: Uint8Array) => boolean } {
  return {
    buffer: READ_BUFFER,
    callback: (length, buffer) => {
      const chunk = Buffer.allocUnsafe(length);
      chunk.set(buffer.subarray(0, length));
      reader.read(chunk);
      return true;
    },
  };
}
