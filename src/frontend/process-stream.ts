/** The stdin and stdout of a process as one stream, as the process's peer sees them. */
import { Duplex, type Readable, type Writable } from 'node:stream';

/**
 * @param stdin what the process reads
 * @param stdout what it writes
 */
export function processStream(stdin: Writable, stdout: Readable): Duplex {
  const stream: Duplex = new Duplex({
    read: () => void stdout.resume(),
    // A process that reads no more may have written what is not read yet: it is the end of its stdout that counts.
    write: (chunk: Uint8Array, _encoding, done) => void stdin.write(chunk, () => done()),
    final: (done) => void stdin.end(() => done()),
    destroy: (error, done) => {
      stdin.destroy();
      // Not destroyed: whether the process has ended shows by the end of what it wrote.
      stdout.resume();
      done(error);
    },
  });
  stdout.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) stdout.pause();
  });
  stdout.once('end', () => {
    if (!stream.destroyed) stream.push(null);
  });
  stdout.once('error', (error) => stream.destroy(error));
  stdin.on('error', () => undefined);
  return stream;
}
