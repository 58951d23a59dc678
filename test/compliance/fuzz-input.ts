/** Inputs for the server connection that nobody would write by hand: what a client sends, and what the application does meanwhile. */

import fc from 'fast-check';
import { concat, data, FLAG, frame, goaway, headers, hex, literals, message, type Pair, PREFACE, pushPromise, rstStream, settings, TYPE, uint32 } from '../wire/bytes.js';
import { HpackEncoder, type Way } from '../wire/hpack-encoder.js';
import { continuation, ping, priority, requestFields, windowUpdate } from './bytes.js';
import { realClients } from './corpus.js';

export type Step =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The client reads what there is. */
  | { readonly kind: 'read' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'drain' }
  /** The application does something about one of its open requests. */
  | { readonly kind: 'answer'; readonly request: number; readonly what: 'headers' | 'write' | 'trailers' | 'reset'; readonly size: number };

export interface Input {
  /** Bounds that are reached soon, or the real ones. */
  readonly bounds: 'tight' | 'real';
  /** Requests as they are, or as calls of gRPC whose messages are echoed. */
  readonly application: 'http' | 'grpc';
  readonly steps: readonly Step[];
  /** Lengths of the chunks that the bytes come in, over and over. */
  readonly cuts: readonly number[];
}

/** A frame as it is meant, on the n-th stream; what it is on the wire depends on the ones before. */
interface Meant {
  readonly kind: 'open' | 'data' | 'trailers' | 'reset' | 'window' | 'priority' | 'continuation' | 'push' | 'connection' | 'raw';
  readonly stream: number;
  readonly end: boolean;
  readonly padding: number | undefined;
  readonly content: Uint8Array;
  readonly number: number;
  readonly fields: readonly (readonly [Pair, Way, boolean])[];
  readonly split: number;
}

const EDGES = [0, 1, 2, 5, 100, 16_384, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const edge = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...EDGES) }, { weight: 1, arbitrary: fc.nat(2 ** 31 - 1) });
const octets = fc.uint8Array({ maxLength: 60 });
/** 0 to 5: the streams opened last, counted back; 6 and above: the stream of that number less 6, whatever it is. */
const streamNumber = fc.oneof({ weight: 40, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(40) });

const PATHS = ['/service/Method', '/', '/echo/Echo'];
const oddField: fc.Arbitrary<Pair> = fc.oneof(
  fc.constantFrom<Pair>(
    ['x-a', 'value'],
    ['x-bin', 'AAEC'],
    ['grpc-timeout', '5S'],
    ['grpc-timeout', 'never'],
    ['grpc-encoding', 'gzip'],
    ['grpc-encoding', 'identity'],
    ['grpc-encoding', 'constructor'],
    ['content-length', '5'],
    ['content-length', '0'],
    ['content-length', 'x'],
    ['te', 'gzip'],
    ['connection', 'close'],
    ['X-Upper', 'x'],
    [':path', '/twice'],
    [':status', '200'],
    ['', ''],
  ),
  fc.tuple(fc.string({ unit: 'binary-ascii', maxLength: 10 }), octets.map((bytes) => Buffer.from(bytes).toString('latin1'))),
);
const field = fc.tuple(oddField, fc.constantFrom<Way>('indexed', 'add', 'plain', 'never'), fc.boolean());

const meant: fc.Arbitrary<Meant> = fc.record({
  kind: fc.oneof<fc.MaybeWeightedArbitrary<Meant['kind']>[]>(
    { weight: 8, arbitrary: fc.constant('open') },
    { weight: 10, arbitrary: fc.constant('data') },
    { weight: 2, arbitrary: fc.constantFrom('trailers', 'reset', 'window', 'connection') },
    { weight: 2, arbitrary: fc.constantFrom('window', 'connection') },
    { weight: 1, arbitrary: fc.constantFrom('priority', 'priority', 'priority', 'continuation', 'push', 'raw') },
  ),
  stream: streamNumber,
  end: fc.boolean(),
  padding: fc.option(fc.nat(255), { nil: undefined, freq: 4 }),
  content: octets,
  number: edge,
  fields: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(field, { maxLength: 4 }) }),
  split: fc.oneof({ weight: 4, arbitrary: fc.constant(10_000) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) }),
});

/** What is done to a frame on its way. */
type Strike = { readonly kind: 'none' } | { readonly kind: 'flags' | 'type' | 'length' | 'stream' | 'octet' | 'cut' | 'twice' | 'drop'; readonly at: number; readonly value: number };
const strike: fc.Arbitrary<Strike> = fc.oneof(
  { weight: 24, arbitrary: fc.constant<Strike>({ kind: 'none' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('flags', 'type', 'length', 'stream', 'octet', 'cut', 'twice', 'drop'), at: fc.nat(2000), value: fc.nat(255) }) },
);

function struck(bytes: Uint8Array, blow: Strike): Uint8Array {
  if (blow.kind === 'none' || bytes.length === 0) return bytes;
  const { at, value } = blow;
  const out = Uint8Array.from(bytes);
  switch (blow.kind) {
    case 'flags':
      out[4] = (out[4] ?? 0) ^ value;
      return out;
    case 'type':
      out[3] = value % 12;
      return out;
    case 'length':
      out[2] = (out[2] ?? 0) + (value % 2 === 0 ? 1 : -1) * ((value >> 1) % 8);
      return out;
    case 'stream':
      out[8] = value;
      return out;
    case 'octet':
      out[at % out.length] = value;
      return out;
    case 'cut':
      return out.subarray(0, at % out.length);
    case 'twice':
      return concat(out, out);
    case 'drop':
      return new Uint8Array(0);
  }
}

const other: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'read' }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), request: fc.nat(8), what: fc.constantFrom('headers', 'write', 'write', 'trailers', 'reset'), size: fc.oneof({ weight: 4, arbitrary: fc.nat(100) }, { weight: 2, arbitrary: fc.nat(5000) }, { weight: 1, arbitrary: fc.nat(40_000) }) }) },
  { weight: 1, arbitrary: fc.nat(3000).map((ms): Step => ({ kind: 'pass', ms })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'drain' }) },
);

type Move = { readonly meant: Meant; readonly strike: Strike } | { readonly step: Step };
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof({ weight: 4, arbitrary: fc.record({ meant, strike }) }, { weight: 1, arbitrary: other.map((step) => ({ step })) }),
  { maxLength: 24 },
);

/** Writes down what was meant: ids go up as streams are opened, one header table is kept. */
class Writer {
  private readonly encoder = new HpackEncoder();
  private opened = 0;

  write(one: Meant, grpc: boolean): Uint8Array {
    const { end, content, number, split, padding } = one;
    const onStream = one.kind !== 'open' && one.kind !== 'connection' && one.stream < 6;
    if (onStream && this.opened === 0) return this.write({ ...one, kind: 'open' }, grpc);
    const id = onStream ? 2 * Math.max(1, this.opened - one.stream) - 1 : one.stream - 6;
    const options = { end, split, ...(padding === undefined || padding > 40 ? {} : { padding }) };
    switch (one.kind) {
      case 'open': {
        this.opened += 1;
        const base = requestFields({ ':path': PATHS[one.stream % 3], ...(grpc ? { 'content-type': 'application/grpc', te: 'trailers' } : {}) });
        const block = concat(literals(...base), ...one.fields.map(([pair, way, huffman]) => this.encoder.field(pair, way, huffman)));
        return headers(2 * this.opened - 1, block, { ...options, priority: number === 5 });
      }
      case 'data':
        return data(id, grpc && number !== 2 ? concat(message(content), message('')) : content, { end, ...(padding === undefined ? {} : { padding }) });
      case 'trailers':
        return headers(id, concat(...one.fields.map(([pair, way, huffman]) => this.encoder.field(pair, way, huffman))), { ...options, end: number !== 2 });
      case 'reset':
        return rstStream(id, number);
      case 'window':
        return windowUpdate(end ? 0 : id, number % 2 ** 31);
      case 'priority':
        return priority(id, end ? id : 0);
      case 'continuation':
        return continuation(id, content, end ? FLAG.endHeaders : 0);
      case 'push':
        return pushPromise(id, 2, content);
      case 'connection':
        return this.connectionFrame(one);
      case 'raw':
        return frame(number % 256, content[0] ?? 0, id, content);
    }
  }

  private connectionFrame({ number, stream, content, end }: Meant): Uint8Array {
    switch (stream % 4) {
      case 0:
        return settings({ [1 + (content.length % 7)]: number }, end && content.length === 0 ? FLAG.ack : 0);
      case 1:
        return ping('12345678', end ? FLAG.ack : 0);
      case 2:
        return goaway(0, content.length % 3 === 0 ? number : 0);
      default:
        return frame(TYPE.settings, 0, 0, concat(...Array.from({ length: content.length % 5 }, (_, at) => concat(hex('0004'), uint32(at % 2 === 0 ? number : 65_535)))));
    }
  }
}

const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 })), { minLength: 1, maxLength: 6 });
const bounds = fc.constantFrom('tight', 'real');
const application = fc.constantFrom('http', 'grpc');
const firstSettings = fc.constantFrom(settings(), settings({ 4: 0 }), settings({ 4: 7 }), settings({ 1: 0, 4: 2 ** 31 - 1, 5: 100_000 }), settings({ 6: 100 }));

/** Frames that mean something, in an order that mostly makes sense, some of them struck. */
const structured = fc.tuple(bounds, application, firstSettings, moves, cuts).map(([bound, app, first, made, lengths]): Input => {
  const writer = new Writer();
  const steps = made.map((move): Step => ('step' in move ? move.step : { kind: 'send', bytes: struck(writer.write(move.meant, app === 'grpc'), move.strike) }));
  return { bounds: bound, application: app, steps: [{ kind: 'send', bytes: concat(PREFACE, first) }, ...steps], cuts: lengths };
});

const CLIENTS = realClients();

/** What a real client sent, frames of it struck, moved and mixed with another client's. */
const mutated = fc
  .tuple(
    bounds,
    application,
    fc.nat(CLIENTS.length - 1),
    fc.nat(CLIENTS.length - 1),
    fc.integer({ min: 1, max: 60 }),
    fc.array(fc.record({ at: fc.nat(60), strike, swap: fc.nat(60), foreign: fc.option(fc.nat(200), { nil: undefined, freq: 3 }) }), { maxLength: 6 }),
    fc.array(fc.tuple(fc.nat(60), other), { maxLength: 6 }),
    cuts,
  )
  .map(([bound, app, one, two, length, blows, others, lengths]): Input => {
    const frames = (CLIENTS[one]?.frames ?? []).slice(0, length);
    const foreign = CLIENTS[two]?.frames ?? [];
    for (const { at, strike: blow, swap, foreign: index } of blows) {
      // A first frame that is none ends it all at once.
      const place = at % 8 === 0 ? 0 : Math.min(frames.length - 1, 1 + (at % frames.length));
      const [here, there] = [frames[place], frames[swap % frames.length]];
      if (here === undefined || there === undefined) continue;
      if (index !== undefined) frames[place] = foreign[index % foreign.length] ?? here;
      else if (blow.kind === 'none') [frames[place], frames[swap % frames.length]] = [there, here];
      else frames[place] = struck(here, blow);
    }
    const steps: Step[] = frames.map((bytes) => ({ kind: 'send', bytes }));
    for (const [at, step] of others) steps.splice(at % (steps.length + 1), 0, step);
    return { bounds: bound, application: app, steps: [{ kind: 'send', bytes: PREFACE }, ...steps], cuts: lengths };
  });

/** Octets without any sense, with a preface or without. */
const noise = fc.tuple(bounds, application, fc.boolean(), fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), cuts).map(
  ([bound, app, greets, parts, lengths]): Input => ({
    bounds: bound,
    application: app,
    steps: [...(greets ? [concat(PREFACE, settings())] : []), ...parts].map((bytes) => ({ kind: 'send', bytes })),
    cuts: lengths,
  }),
);

export const anyInput: fc.Arbitrary<Input> = fc.oneof({ weight: 12, arbitrary: structured }, { weight: 6, arbitrary: mutated }, { weight: 2, arbitrary: noise });
