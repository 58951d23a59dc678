/**
 * What a client sent before it ended is on its way still when it is gone: a command that says its last and exits is
 * heard of first by its exit, and then by its bytes.
 */
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** So long at most: a client that is there may never stop. */
const SETTLE_MS = 1_000;
/** How often it is looked whether a client that is held back may go on. */
const LOOK_MS = 5;

/**
 * Waits until no client has anything more at hand: all that had been sent when this was called is read then.
 *
 * @param isOpening whether a connection waits for its daemon, its client unread
 */
export async function settle(clients: ReadonlySet<Socket>, isOpening: () => boolean): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  let before: number | undefined;
  do {
    // In each turn of the loop, who has sent something is read from.
    await setImmediate();
    const isHeld = isOpening() || [...clients].some((client) => client.isPaused() && client.readable);
    if (isHeld) await setTimeout(LOOK_MS);
    const read = isHeld ? undefined : [...clients].reduce((sum, { bytesRead }) => sum + bytesRead, clients.size);
    if (read !== undefined && (read === before || clients.size === 0)) return;
    before = read;
  } while (performance.now() < until);
}
