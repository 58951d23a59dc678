/** Two streams, each the other's other end (stream.duplexPair came with Node 22). */
import { Duplex } from 'node:stream';

export function duplexPair(): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk: Uint8Array, _encoding, callback) => {
        // Node's HTTP/2 ends the process when it is given bytes while it writes.
        setImmediate(() => {
          other().push(chunk);
          callback();
        });
      },
      final: (callback) => {
        other().push(null);
        callback();
      },
    });
  const left: Duplex = make(() => right);
  const right: Duplex = make(() => left);
  return [left, right];
}
