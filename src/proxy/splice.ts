/**
 * Joins two sockets: every byte from one goes out on the other, in order and unchanged, and then to the tap.
 * This is the hot path of a recording (bench: `npm run bench`): one closure a direction, nothing per chunk.
 */
import type { Socket } from 'node:net';

import type { ConnectionTap, Side } from './tap.js';

/** Starts forwarding. Both sockets must allow half-open and be paused; `closed` is called once, after both closed. */
export function splice(client: Socket, server: Socket, tap: ConnectionTap, closed: () => void): void {
  let firstEnd: Side | undefined;
  let failure: Error | undefined;
  let held = false;
  let open = 2;

  const resumeBoth = (): void => {
    held = false;
    if (server.writableLength === 0 || !server.writableNeedDrain) client.resume();
    if (client.writableLength === 0 || !client.writableNeedDrain) server.resume();
  };

  const forward = (side: Side, from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      const time = process.hrtime.bigint();
      if (!to.write(chunk)) from.pause();
      if (!tap.bytes(side, chunk, time) && !held) {
        held = true;
        client.pause();
        server.pause();
        void tap.ready().then(resumeBoth);
      }
    });
    to.on('drain', () => {
      if (!held) from.resume();
    });
    from.on('end', () => {
      firstEnd ??= side;
      tap.end(side, process.hrtime.bigint());
      to.end();
    });
    from.on('error', (error) => {
      firstEnd ??= side;
      failure ??= error;
    });
    from.on('close', () => {
      // What was read from a side that broke still goes out; then the other side learns of the end at once.
      if (failure !== undefined || !from.readableEnded) to.destroySoon();
      open -= 1;
      if (open === 0) {
        tap.close(firstEnd ?? side, process.hrtime.bigint(), failure);
        closed();
      }
    });
  };

  forward('client', client, server);
  forward('server', server, client);
  client.resume();
  server.resume();
}
