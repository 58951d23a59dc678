// One at a time, in this process and in others. flock(1) holds the lock for us: the kernel lets go of it when its
// process ends, and that ends when its stdin does, so a killed test run never leaves a lock behind.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { startCommand } from './command.js';

const waiting = new Map<string, Promise<unknown>>();

/** Longer than the slowest first build of a BuildKit version. */
const LOCK_TIMEOUT = 1_800_000;

export async function locked<T>(file: string, work: () => Promise<T>): Promise<T> {
  const before = waiting.get(file) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => heldByFlock(file, work));
  waiting.set(file, mine);
  return mine;
}

async function heldByFlock<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = startCommand(['flock', file, 'sh', '-c', 'echo held; exec cat'], { timeout: LOCK_TIMEOUT });
  try {
    await holder.until(/held/);
    return await work();
  } finally {
    holder.endInput();
    await holder.result;
  }
}
