/**
 * A cassette as a text to compare two recordings by: the calls one after the other, without times and numbers, and with
 * payloads that nobody reads by their digest. It is for git diff, and is not packed again.
 */
import { hash } from 'node:crypto';

import { headerText, Plain, shortMethod, type LiteralMap } from '../bridge/index.js';
import type { Cassette, CassetteEvent } from '../cassette/index.js';
import { size } from '../quantity.js';
import { Conversation } from './conversation.js';
import { eventLiteral } from './event-literal.js';
import { headerLiteral } from './header-text.js';
import { listLines, mapLines, type Store } from './write-yaml.js';

/** Base64 of up to one line says as much as a digest. */
const SHORT_BYTES = 48;
const LONG_TEXT = 64 * 1024;
/** What gRPC puts into every request anew. */
const OF_ONE_RUN: ReadonlySet<string> = new Set(['grpc-timeout', 'traceparent', 'tracestate', 'baggage']);

const byDigest: Store = (content) => {
  if (content.length <= (typeof content === 'string' ? LONG_TEXT : SHORT_BYTES)) return undefined;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return `!digest sha256:${hash('sha256', bytes, 'hex')} # ${size(bytes.length)}`;
};

/** The same cassette has the same lines; two recordings of one build have mostly the same. */
export function* diffLines(cassette: Pick<Cassette, 'header' | 'events' | 'state'>): Generator<string> {
  const conversation = new Conversation();
  const loose: LiteralMap[] = [];
  // As text: as literals it would be many times as large.
  const calls = new Map<number, { path: string; readonly events: string[] }>();
  for (const event of cassette.events()) {
    const literal = withoutRun(event, eventLiteral(event, conversation));
    conversation.add(event);
    if (!('call' in event)) {
      loose.push(literal);
      continue;
    }
    const call = calls.get(event.call) ?? { path: '', events: [] };
    calls.set(event.call, call);
    call.events.push(listLines([literal], '    ', byDigest).join('\n'));
    if (event.kind === 'client-header') call.path ||= headerText(event.headers, ':path') ?? '';
  }
  yield '# For comparing: without times and numbers. bridgetape unpack has all of it.';
  yield `cassette: ${cassette.state}`;
  yield 'header:';
  yield* mapLines(headerLiteral(cassette.header), '  ', byDigest);
  yield 'connections:';
  yield* listLines(loose, '', byDigest);
  yield 'calls:';
  for (const [, { path, events }] of [...calls].sort(([one], [other]) => one - other)) {
    yield '';
    yield* listLines([new Map([['call', shortMethod(path)]])], '', byDigest);
    yield '  events:';
    yield* events;
  }
}

/** The kind, and below it what does not differ from run to run for no reason. */
function withoutRun(event: CassetteEvent, literal: LiteralMap): LiteralMap {
  const rest = new Map(literal);
  for (const name of [event.kind, 'at', 'connection', 'call']) rest.delete(name);
  const headers = rest.get('headers');
  if (Array.isArray(headers)) rest.set('headers', (headers as readonly LiteralMap[]).filter((field) => ![...field.keys()].some((name) => OF_ONE_RUN.has(name))));
  return new Map([[event.kind, rest.size === 0 ? new Plain('{}') : rest]]);
}
