/** A whole cassette as lines of text, and such a text as a cassette's header and events (docs/text-form.md). */
import { headerText, LiteralError, Plain, shortMethod, type Literal, type LiteralPath } from '../bridge/index.js';
import type { Cassette, HeaderField, NewEvent, NewHeader } from '../cassette/index.js';
import { Conversation } from './conversation.js';
import { eventLiteral } from './event-literal.js';
import { Fields } from './fields.js';
import { headerLiteral, readHeader } from './header-text.js';
import { readEvent } from './read-event.js';
import { keyText, pieces, TextError, type Files, type Piece } from './read-yaml.js';
import { listLines, mapLines, type Store } from './write-yaml.js';

export const TEXT_FORM = 1;

const INTRODUCTION = [
  '# A cassette of bridgetape as text; docs/text-form.md says how it is written.',
  '# A cassette again: bridgetape pack THIS -o NAME.cassette',
];

/**
 * The lines of a cassette. The same cassette has the same lines.
 *
 * @param store asked for each text and each run of bytes
 */
export function* cassetteLines(cassette: Pick<Cassette, 'header' | 'events' | 'state' | 'damages'>, store: Store): Generator<string> {
  yield* INTRODUCTION;
  yield `textForm: ${TEXT_FORM}`;
  // What is damaged in a block shows when that is read, and has to be said above it.
  const walk = cassette.events();
  while (walk.next().done !== true);
  if (cassette.state !== 'whole') {
    yield `# ${cassette.state === 'interrupted' ? 'The recording was not brought to its end. Without the next line it packs as one that was.' : 'What cannot be read is a gap below, and stays one.'}`;
    yield `state: ${cassette.state}`;
  }
  for (const { kind, offset, bytes, reason } of cassette.damages) yield `#   ${kind} at byte ${offset}, ${bytes} bytes: ${JSON.stringify(reason)}`;
  yield 'header:';
  yield* mapLines(headerLiteral(cassette.header), '  ', store);
  yield 'events:';
  yield* eventLines(cassette, store);
}

function* eventLines(cassette: Pick<Cassette, 'events'>, store: Store): Generator<string> {
  const conversation = new Conversation();
  let last = '';
  for (const event of cassette.events()) {
    const literal = eventLiteral(event, conversation);
    conversation.add(event);
    if (event.kind === 'client-header') {
      // Behind a text that ends with empty lines one more would be a part of it.
      if (last !== '') yield '';
      yield `# call ${event.call}${methodOf(event.headers)}`;
    }
    const lines = listLines([literal], '', store);
    yield* lines;
    last = lines.at(-1) ?? '';
  }
}

/** For who reads the comment: only what cannot break out of one. */
function methodOf(headers: readonly HeaderField[]): string {
  const path = headerText(headers, ':path') ?? '';
  return /^[\w./-]{1,200}$/.test(path) ? ` ${shortMethod(path)}` : '';
}

/** What a text says. */
export interface CassetteText {
  readonly state: 'whole' | 'interrupted' | 'damaged';
  readonly header: NewHeader;
  /**
   * To be walked once, in which they are read: what is wrong with one is thrown there, as a TextError.
   *
   * @param onStale told of bytes that are not used, because what they stand beside has been changed since
   */
  readonly events: (onStale: (place: StalePlace) => void) => Generator<NewEvent>;
}

export interface StalePlace {
  readonly line: number;
  readonly key: string;
}

/** @throws TextError */
export function readCassetteText(text: string, files: Files): CassetteText {
  const all = pieces(text, 'events', files);
  const { value: first } = all.next() as IteratorYieldResult<Piece>;
  return { ...told(first, () => readTop(first.value)), events: (onStale) => readEvents(all, onStale) };
}

function* readEvents(all: Generator<Piece>, onStale: (place: StalePlace) => void): Generator<NewEvent> {
  const conversation = new Conversation();
  let before = 0n;
  let count = 0;
  for (const piece of all) {
    const items = piece.value;
    // A list of nothing is an empty text.
    if (items instanceof Plain && items.source === '') continue;
    if (!Array.isArray(items)) throw piece.wrong('should be a list of events', []);
    const tellStale = (at: LiteralPath): void => onStale({ line: piece.lineOf(at), key: keyText(at.slice(1)) });
    for (const [index, item] of items.entries()) {
      const event = told(piece, () => readEvent(item as Literal, [index], { conversation, before, onStale: tellStale }), `event ${count}`);
      conversation.add(event);
      before = event.time;
      count += 1;
      yield event;
    }
  }
}

function readTop(literal: Literal): Pick<CassetteText, 'state' | 'header'> {
  const fields = new Fields(literal, [], ['textForm', 'state', 'header', 'events']);
  const form = fields.text('textForm');
  if (form !== String(TEXT_FORM)) throw new LiteralError(`is ${form}; this bridgetape reads form ${TEXT_FORM}`, ['textForm']);
  const state = fields.has('state') ? fields.oneOf('state', ['whole', 'interrupted', 'damaged']) : 'whole';
  const header = readHeader(fields.get('header'), ['header']);
  const events = fields.get('events');
  if (!(events instanceof Plain && events.source === '') && fields.list('events').length > 0) throw new LiteralError('should be written with each event on lines of its own, behind "- " at the start of a line', ['events']);
  return { state, header };
}

function told<T>(piece: Piece, read: () => T, of = ''): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof LiteralError)) throw error;
    // Behind an event's place in its piece, which means nothing to anybody.
    const key = keyText(of === '' ? error.at : error.at.slice(1));
    throw new TextError(error.reason, piece.lineOf(error.at), key === '' ? of : key);
  }
}
