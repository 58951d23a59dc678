// What a client saw of a call: one element of the transcript, the same in every language.
import { createHash } from 'node:crypto';
import type { Metadata, Outcome } from './stack.js';

export interface Seen {
  readonly call: string;
  readonly code: number;
  readonly text?: string;
  readonly messages: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly head?: Metadata;
  readonly tail?: Metadata;
  readonly details?: readonly string[];
}

/** A digest of messages in their order. */
export class Messages {
  private count = 0;
  private bytes = 0;
  private readonly hash = createHash('sha256');

  add(message: Uint8Array): void {
    this.count += 1;
    this.bytes += message.length;
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    this.hash.update(length).update(message);
  }

  summary(call: string, { code, text, head, tail, details }: Outcome): Seen {
    const [heads, tails] = [legible(head, 'x-echo-head'), legible(tail, 'x-echo-tail')];
    return {
      call,
      code,
      ...(text === '' ? {} : { text }),
      messages: this.count,
      bytes: this.bytes,
      sha256: this.hash.digest('hex'),
      ...(Object.keys(heads).length === 0 ? {} : { head: heads }),
      ...(Object.keys(tails).length === 0 ? {} : { tail: tails }),
      ...(details.length === 0 ? {} : { details: details.map((value) => short(Buffer.from(value).toString('hex'))) }),
    };
  }
}

/** What was seen of many calls, in their order. */
export function together(call: string, each: readonly Seen[]): Seen {
  const hash = createHash('sha256');
  for (const { sha256 } of each) hash.update(sha256);
  const sum = (of: (seen: Seen) => number): number => each.reduce((total, seen) => total + of(seen), 0);
  return { call, code: Math.max(...each.map(({ code }) => code)), messages: sum(({ messages }) => messages), bytes: sum(({ bytes }) => bytes), sha256: hash.digest('hex') };
}

/** What a client says of its own doing differs from one to the next. */
export function withoutText(seen: Seen): Seen {
  const { text, ...rest } = seen;
  return text === undefined ? seen : rest;
}

function legible(metadata: Metadata, prefix: string): Metadata {
  return Object.fromEntries(
    Object.entries(metadata)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name, short(value)]),
  );
}

function short(text: string): string {
  return text.length <= 100 ? text : `${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex')}`;
}
