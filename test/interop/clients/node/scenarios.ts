// The scenarios of ../go/client/scenarios.go, for any client on Node.
import { content, type Order, type StreamMethod, type UnaryMethod } from './echo.js';
import { Messages, together, withoutText, type Seen } from './seen.js';
import type { CallOptions, Stack, Stream } from './stack.js';

const DEADLINE_MS = 300;
const PLENTY_MS = 60_000;
/** Together 100 MB each way, and each below the 4 MiB that clients take by default. */
const LARGE_MESSAGES = 25;
const LARGE_SIZE = 4_000_000;
const STREAMS = 1000;

export class Scenarios {
  /** @param slowMs the deadline of the scenario `slow` */
  constructor(
    private readonly stack: Stack,
    private readonly slowMs: number,
  ) {}

  readonly all: Readonly<Record<string, () => Promise<readonly Seen[]>>> = {
    'unary': () => each([0, 1, 70_000], (size) => this.unary('Unary', { label: `unary/${size}`, messages: 1, size })),

    'server-stream': () => each([0, 1, 100], (messages) => this.stream('ServerStream', { label: `server-stream/${messages}`, messages, size: 1000 })),

    'client-stream': () =>
      each([0, 1, 100], (count) => {
        const label = `client-stream/${count}`;
        return this.stream('ClientStream', { label }, contents(label, count, 1000));
      }),

    // In turns, and all at once.
    'bidi': async () => {
      const turns = this.open('Bidi', { label: 'bidi/turns' });
      await turns.receive();
      for (const message of contents('bidi/turns', 50, 1000)) {
        await turns.send(message);
        await turns.receive();
      }
      turns.closeSend();
      return [await turns.finish(), await this.stream('Bidi', { label: 'bidi/at once' }, contents('bidi/at once', 50, 1000))];
    },

    'metadata': async () => {
      const metadata = [
        ['x-echo-ask', 'plain, with a comma'],
        ['x-echo-ask', 'and again'],
        // One binary value: connect-es joins several with a comma, and grpc-go refuses that.
        ['x-echo-ask-bin', content('metadata', 20)],
      ] as const;
      const order = { label: 'metadata', messages: 1, size: 10, headers: true, tail: [5, 80], tailBin: [0, 1, 2, 300] };
      return [await this.unary('Unary', order, { metadata }), await this.stream('ServerStream', order, [], { metadata })];
    },

    // All codes at once, then one after messages, and one after headers alone.
    'statuses': async () => {
      const codes = Array.from({ length: 16 }, (_, at) => at + 1);
      const all = await each(codes, (code) => this.unary('Unary', failing({ label: `statuses/${code}`, code })));
      const late = await this.stream('ServerStream', failing({ label: 'statuses/after messages', messages: 3, size: 100, code: 9 }));
      const bare = await this.stream('ServerStream', failing({ label: 'statuses/after headers', headers: true, code: 5 }));
      return [...all, late, bare];
    },

    // A server that ends the call while the client could go on.
    'early-end': () =>
      each(['ClientStream', 'Bidi'] as const, async (method) => {
        const order = failing({ label: `early-end/${method}`, stop: 3, code: 8 });
        const call = this.open(method, order);
        for (const message of contents(order.label, 3, 100)) await call.send(message);
        return call.finish();
      }),

    // Calls that are known to have arrived, and of which nothing came back.
    'cancel-unanswered': async () => {
      const label = 'cancel-unanswered/unary';
      const abort = new AbortController();
      const ended = this.unary('Unary', { label, hold: true }, { signal: abort.signal });
      const arrived = await this.unary('Await', { label });
      abort.abort();
      const cancelled = withoutText(await ended);
      const gone = await this.unary('Await', { label, ended: true });
      const stream = 'cancel-unanswered/stream';
      return [arrived, cancelled, gone, ...(await this.cancelled({ label: stream, hold: true }, () => this.unary('Await', { label: stream })))];
    },

    'cancel-after-headers': () => this.cancelled({ label: 'cancel-after-headers', headers: true, hold: true }, (call) => call.headed),

    'cancel-mid-stream': () => this.cancelled({ label: 'cancel-mid-stream', messages: 5, size: 1000, hold: true }, (call) => call.receiveN(5)),

    // A call that is not closed, with an answer behind each message.
    'cancel-bidi': async () => {
      const abort = new AbortController();
      const call = this.open('Bidi', { label: 'cancel-bidi' }, { signal: abort.signal });
      for (const message of contents('cancel-bidi', 3, 1000)) await call.send(message);
      await call.receiveN(4);
      abort.abort();
      return [withoutText(await call.finish())];
    },

    // Calls that the server never answers, before and after their first message.
    'deadline-passes': async () => {
      const orders = [
        { label: 'deadline-passes/at once', messages: 0, hold: true },
        { label: 'deadline-passes/later', messages: 2, size: 100, hold: true },
      ];
      const calls: OpenCall[] = [];
      for (const order of orders) {
        const call = this.open('ServerStream', order, { deadlineMs: DEADLINE_MS });
        await call.receiveN(order.messages);
        calls.push(call);
      }
      const all: Seen[] = [];
      for (const [at, call] of calls.entries()) all.push(withoutText(await call.finish()), await this.unary('Release', { label: orders[at]?.label ?? '' }));
      return all;
    },

    'deadline-kept': async () => [
      await this.unary('Unary', { label: 'deadline-kept/unary', messages: 1, size: 10 }, { deadlineMs: PLENTY_MS }),
      await this.stream('ServerStream', { label: 'deadline-kept/stream', messages: 3, size: 10 }, [], { deadlineMs: PLENTY_MS }),
    ],

    // Calls that begin with equal messages and differ later, all open at once, and going on in another order.
    'alike': async () => {
      const calls: OpenCall[] = [];
      for (let at = 0; at < 20; at += 1) {
        const call = this.open('Bidi', { label: 'alike' });
        await call.receive();
        calls.push(call);
      }
      const all: Seen[] = [];
      for (const [at, call] of [...calls.entries()].reverse()) {
        await call.send(content(`alike/${at}`, 100));
        call.closeSend();
        all.unshift(await call.finish());
      }
      return all;
    },

    // 100 KiB: in fields of which each is short, and with one that only Huffman coding brings below the 64 KiB of Node's HTTP/2.
    'large-trailers': async () => [
      await this.unary('Unary', { label: 'large-trailers/fields', messages: 1, size: 10, tail: [25_600, 25_600], tailBin: [19_200, 19_200] }),
      await this.stream('ServerStream', { label: 'large-trailers/details', messages: 2, size: 10, code: 2, text: 'long', details: [30_000, 30_000], tail: [22_000] }),
    ],

    // Open on one connection at once: none goes on before all have been answered.
    'streams': async () => {
      const labels = Array.from({ length: STREAMS }, (_, at) => `streams/${at}`);
      const calls = labels.map((label) => ({ label, call: this.open('Bidi', { label }) }));
      await Promise.all(calls.map(({ call }) => call.receive()));
      const all = calls.map(async ({ label, call }) => {
        await call.send(content(label, 2000));
        call.closeSend();
        return call.finish();
      });
      return [together('streams', await Promise.all(all))];
    },

    'large': async () => [await this.stream('Bidi', { label: 'large' }, contents('large', LARGE_MESSAGES, LARGE_SIZE))],

    // Answered after a pause: the one scenario whose deadline is given.
    'slow': async () => [withoutText(await this.stream('ServerStream', { label: 'slow', messages: 3, size: 10, pauseMs: 200 }, [], { deadlineMs: this.slowMs }))],
  };

  private async unary(method: UnaryMethod, order: Order, options?: CallOptions): Promise<Seen> {
    const { message, ...outcome } = await this.stack.unary(method, order, options);
    const got = new Messages();
    if (message !== undefined) got.add(message);
    return got.summary(`${method} ${order.label}`, outcome);
  }

  private open(method: StreamMethod, order: Order, options?: CallOptions): OpenCall {
    return new OpenCall(`${method} ${order.label}`, this.stack.open(method, order, options));
  }

  /** A stream from its order to its end, reading while it sends. */
  private async stream(method: StreamMethod, order: Order, messages: Iterable<Uint8Array> = [], options?: CallOptions): Promise<Seen> {
    const call = this.open(method, order, options);
    const sending = async (): Promise<void> => {
      for (const message of messages) await call.send(message);
      if (method !== 'ServerStream') call.closeSend();
    };
    const [seen] = await Promise.all([call.finish(), sending()]);
    return seen;
  }

  /** A server stream that its client cancels at a given point. */
  private async cancelled(order: Order, until: (call: OpenCall) => Promise<unknown>): Promise<readonly Seen[]> {
    const abort = new AbortController();
    const call = this.open('ServerStream', order, { signal: abort.signal });
    await until(call);
    abort.abort();
    return [withoutText(await call.finish()), await this.unary('Await', { label: order.label, ended: true })];
  }
}

class OpenCall {
  private readonly got = new Messages();

  constructor(
    private readonly name: string,
    private readonly live: Stream,
  ) {}

  get headed(): Promise<void> {
    return this.live.headed;
  }

  send(message: Uint8Array): Promise<void> {
    return this.live.send(message);
  }

  closeSend(): void {
    this.live.closeSend();
  }

  /** Takes one message; false when the call has ended. */
  async receive(): Promise<boolean> {
    const message = await this.live.receive();
    if (message !== undefined) this.got.add(message);
    return message !== undefined;
  }

  async receiveN(count: number): Promise<void> {
    for (let left = count; left > 0 && (await this.receive()); left -= 1);
  }

  /** Takes what is left, and tells what the call was like. */
  async finish(): Promise<Seen> {
    while (await this.receive());
    return this.got.summary(this.name, await this.live.ended);
  }
}

const failing = (order: Order): Order => ({ ...order, text: `100% übel: "${order.label}"\n\tund €`, details: [0, 7, 3000], tail: [20], tailBin: [33] });

function* contents(label: string, count: number, size: number): Generator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield content(`${label}/${at}`, size);
}

async function each<T>(values: readonly T[], run: (value: T) => Promise<Seen>): Promise<readonly Seen[]> {
  const all: Seen[] = [];
  for (const value of values) all.push(await run(value));
  return all;
}
