/**
 * Joins the stdio of a child to our own: every byte goes on in order and unchanged, and then to the tap. The child's
 * stdout is the client's side of the connection, what comes for its stdin the server's, as with a container frontend.
 */
import type { Readable, Writable } from 'node:stream';

import type { ConnectionTap, Side } from './tap.js';

export interface Stdio {
  readonly stdin: Readable;
  readonly stdout: Writable;
}

export interface ChildStdio {
  readonly stdin: Writable;
  readonly stdout: Readable;
}

/**
 * Starts forwarding.
 *
 * @returns resolves when the child's stdout has ended and all of it was taken, or nobody takes it any more
 */
export async function joinStdio(own: Stdio, child: ChildStdio, tap: ConnectionTap): Promise<void> {
  let held = false;
  const pumps: { readonly from: Readable; readonly to: Writable }[] = [];

  const pump = (side: Side, from: Readable, to: Writable): Promise<void> =>
    new Promise((resolve) => {
      pumps.push({ from, to });
      from.on('data', (chunk: Buffer) => {
        const time = process.hrtime.bigint();
        if (!to.write(chunk)) from.pause();
        if (!tap.bytes(side, chunk, time) && !held) {
          held = true;
          for (const { from: each } of pumps) each.pause();
          void tap.ready().then(() => {
            held = false;
            for (const each of pumps) if (!each.to.writableNeedDrain) each.from.resume();
          });
        }
      });
      to.on('drain', () => {
        if (!held) from.resume();
      });
      from.on('end', () => {
        tap.end(side, process.hrtime.bigint());
        to.end(resolve);
      });
      // What nobody reads any more is not read either: the writer learns of it as it would without us.
      to.on('error', () => from.destroy());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        // Behind an orderly end the other side may still have to take what it was given.
        if (!from.readableEnded) to.end(resolve);
      });
    });

  void pump('server', own.stdin, child.stdin);
  await pump('client', child.stdout, own.stdout);
}
