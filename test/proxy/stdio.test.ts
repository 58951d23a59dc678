import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { joinStdio, type ConnectionTap } from '../../src/proxy/index.js';

/** What a tap was told, in words; it asks for a pause when `full`. */
class Told implements ConnectionTap {
  readonly words: string[] = [];
  full = false;
  empty: () => void = () => undefined;

  bytes(side: string, chunk: Uint8Array): boolean {
    this.words.push(`${side}: ${Buffer.from(chunk).toString()}`);
    return !this.full;
  }

  ready(): Promise<void> {
    return new Promise((resolve) => {
      this.empty = resolve;
    });
  }

  end(side: string): void {
    this.words.push(`${side} ended`);
  }

  close(): void {
    this.words.push('closed');
  }
}

/** Takes one chunk, and the next when it is told to. */
class Slow extends Writable {
  readonly taken: string[] = [];
  goOn: () => void = () => undefined;

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.taken.push(chunk.toString());
    this.goOn = done;
  }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await turn();
};

describe('the stdio of a child, joined to ours', () => {
  it('crosses in both directions, and the tap is told: the child is the client', async () => {
    const own = { stdin: new PassThrough(), stdout: new PassThrough() };
    const child = { stdin: new PassThrough(), stdout: new PassThrough() };
    const tap = new Told();
    const joined = joinStdio(own, child, tap);
    own.stdin.write('question');
    expect(String((await once(child.stdin, 'data'))[0])).toBe('question');
    child.stdout.end('answer');
    own.stdout.resume();
    await joined;
    expect(tap.words).toEqual(['server: question', 'client: answer', 'client ended']);
  });

  it('is over when all that the child said was taken, however long that takes', async () => {
    const own = { stdin: new PassThrough(), stdout: new Slow() };
    const child = { stdin: new PassThrough(), stdout: new PassThrough() };
    let over = false;
    const joined = joinStdio(own, child, new Told()).then(() => {
      over = true;
    });
    const closed = once(child.stdout, 'close');
    child.stdout.end('the last word');
    await closed;
    await turns();
    expect([own.stdout.taken, over]).toEqual([['the last word'], false]);
    own.stdout.goOn();
    await joined;
  });

  it('is over when nobody takes what the child says, which the child learns', async () => {
    const own = { stdin: new PassThrough(), stdout: new PassThrough() };
    const child = { stdin: new PassThrough(), stdout: new PassThrough() };
    const joined = joinStdio(own, child, new Told());
    own.stdout.destroy(new Error('EPIPE'));
    await joined;
    expect(child.stdout.destroyed).toBe(true);
  });

  it('rests in both directions while the tap asks for it', async () => {
    const own = { stdin: new PassThrough(), stdout: new PassThrough() };
    const child = { stdin: new PassThrough(), stdout: new PassThrough() };
    const tap = new Told();
    const joined = joinStdio(own, child, tap);
    tap.full = true;
    child.stdout.write('one');
    await turns();
    own.stdin.write('two');
    child.stdout.write('three');
    await turns();
    expect(tap.words).toEqual(['client: one']);
    tap.full = false;
    tap.empty();
    child.stdout.end();
    own.stdout.resume();
    await joined;
    expect(tap.words.slice().sort()).toEqual(['client ended', 'client: one', 'client: three', 'server: two']);
  });
});
