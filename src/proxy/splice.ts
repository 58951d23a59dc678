/**
 * Joins two streams, sockets most often: every byte from one goes out on the other, in order and unchanged, and then to
 * the tap. This is the hot path of a recording (bench: `npm run bench`): one closure a direction, nothing per chunk but
 * the chunk itself.
 */
import type { Duplex } from 'node:stream';

import type { ConnectionTap, Side } from './tap.js';

/** One end: a socket, TLS on a socket, or a program's stdin and stdout. */
export interface End extends Duplex {
  /** Closes it when what was written is out. */
  destroySoon(): void;
}

/** Takes what a socket read, when the socket was made with a buffer of its own (net.connect's `onread`). */
export interface Reader {
  read: (chunk: Buffer) => void;
}

/**
 * Starts forwarding. Both ends must allow half-open and be paused.
 *
 * @param reader where the server's end hands on what it read
 * @param closed called once, after both ends closed
 */
export function splice(client: End, server: End, reader: Reader, tap: ConnectionTap, closed: () => void): void {
  let firstEnd: Side | undefined;
  let failure: Error | undefined;
  let broken = false;
  let held = false;
  let open = 2;

  const resumeBoth = (): void => {
    held = false;
    if (!server.writableNeedDrain) client.resume();
    if (!client.writableNeedDrain) server.resume();
  };

  /** Returns what takes the chunks of one direction. */
  const forward = (side: Side, from: End, to: End): ((chunk: Buffer) => void) => {
    to.on('drain', () => {
      if (!held) from.resume();
    });
    from.on('end', () => {
      firstEnd ??= side;
      tap.end(side, process.hrtime.bigint());
      to.end();
    });
    from.on('error', (error) => {
      broken = true;
      // Bytes that come for a side that has ended already meet a closed socket: that is an ordinary end.
      if (firstEnd === undefined) failure = error;
      firstEnd ??= side;
    });
    from.on('close', () => {
      // What was read from a side that broke still goes out; then the other side learns of the end at once.
      if (broken || !from.readableEnded) to.destroySoon();
      open -= 1;
      if (open === 0) {
        tap.close(firstEnd ?? side, process.hrtime.bigint(), failure);
        closed();
      }
    });
    return (chunk) => {
      const time = process.hrtime.bigint();
      if (!to.write(chunk)) from.pause();
      if (!tap.bytes(side, chunk, time) && !held) {
        held = true;
        client.pause();
        server.pause();
        void tap.ready().then(resumeBoth);
      }
    };
  };

  client.on('data', forward('client', client, server));
  reader.read = forward('server', server, client);
  client.resume();
  server.resume();
}
