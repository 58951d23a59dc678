/** What a cassette can answer in a Docker Engine's place: recorded exchanges of HTTP/1.1, by method and target. */
import { headerText } from '../bridge/index.js';
import type { HeaderField } from '../cassette/index.js';
import type { RecordedCall } from './recorded-call.js';

export interface EngineAnswer {
  readonly status: number;
  /** As the engine sent them, but those that frame the content, and those whose values were not kept. */
  readonly fields: readonly HeaderField[];
  readonly content: Uint8Array;
  /** How long the engine took: ns. */
  readonly took: bigint;
}

/** Why there is no answer, in words that end a sentence. */
export class NoAnswer {
  constructor(readonly why: string) {}
}

const UPGRADED = 101;
/** What a recorder writes for values that it does not keep. */
const REDACTED = '(redacted)';
/** RFC 9110 §7.6.1: they belong to a connection, and this is another one. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'trailer', 'upgrade']);

/** An exchange with a request without content, and an answer that is known to the last octet. */
interface Answerable {
  readonly kind: 'answer';
  readonly answer: EngineAnswer;
}

interface Unanswerable {
  readonly kind: 'left-out' | 'upgraded' | 'unfinished' | 'with-content';
}

export class EngineScript {
  private readonly exchanges = new Map<string, (Answerable | Unanswerable)[]>();
  private readonly asked = new Map<string, number>();

  /** @param recorded the calls of connections of HTTP/1.1, in order */
  constructor(recorded: readonly RecordedCall[]) {
    for (const call of recorded) {
      const key = keyOf(headerText(call.headers, ':method') ?? '', call.path);
      const known = this.exchanges.get(key);
      if (known === undefined) this.exchanges.set(key, [exchangeOf(call)]);
      else known.push(exchangeOf(call));
    }
  }

  /** Clients poll: the same request gets one answer after the other, and the last one again. */
  answer(method: string, target: string): EngineAnswer | NoAnswer {
    const key = keyOf(method, target);
    const exchanges = this.exchanges.get(key) ?? (method === 'HEAD' ? this.exchanges.get(keyOf('GET', target)) : undefined) ?? [];
    const turn = this.asked.get(key) ?? 0;
    const exchange = exchanges[Math.min(turn, exchanges.length - 1)];
    if (exchange === undefined) return new NoAnswer('the cassette holds no request like it');
    // What clients ask for is theirs to make up: only what can be answered is counted.
    this.asked.set(key, turn + 1);
    switch (exchange.kind) {
      case 'answer':
        return exchange.answer;
      case 'left-out':
        return new NoAnswer("the cassette does not keep that answer's content");
      case 'with-content':
        return new NoAnswer("the cassette does not keep that request's content, which it would have to equal");
      case 'upgraded':
        return new NoAnswer('the cassette does not keep what crossed behind it');
      case 'unfinished':
        return new NoAnswer('it was not answered when it was recorded');
    }
  }

  /** Whether a `POST` of that target was granted its upgrade. */
  upgrades(target: string): boolean {
    return this.exchanges.get(keyOf('POST', target))?.some(({ kind }) => kind === 'upgraded') === true;
  }
}

function keyOf(method: string, target: string): string {
  return `${method} ${target}`;
}

function exchangeOf(call: RecordedCall): Answerable | Unanswerable {
  const header = call.events.find(({ kind }) => kind === 'server-header');
  if (header?.kind !== 'server-header' || !call.events.some(({ kind }) => kind === 'server-trailer')) return { kind: 'unfinished' };
  const status = Number(headerText(header.headers, ':status'));
  if (status === UPGRADED) return { kind: 'upgraded' };
  if (call.events.some(({ kind }) => kind === 'client-message')) return { kind: 'with-content' };
  const [message] = call.events.flatMap((event) => (event.kind === 'server-message' ? [event] : []));
  const content = message === undefined ? new Uint8Array() : message.data;
  if (content === undefined) return { kind: 'left-out' };
  const fields = header.headers.filter(({ name, value }) => !name.startsWith(':') && !OF_THE_CONNECTION.has(name) && Buffer.from(value).toString('latin1') !== REDACTED);
  return { kind: 'answer', answer: { status, fields, content, took: header.time - (call.events[0]?.time ?? header.time) } };
}
