/** Literals to events. */
import { isMap, kindOf, LiteralError, readMessage, textBytes, type Literal, type LiteralPath } from '../bridge/index.js';
import { reasonNotKept, whole, type HeaderField, type Nanoseconds, type NewEvent, type Side } from '../cassette/index.js';
import { ErrorCode } from '../wire/index.js';
import type { Conversation } from './conversation.js';
import { Fields } from './fields.js';
import { within } from './header-text.js';
import { headerBase64, STATUS_DETAILS, STATUS_TYPE } from './status-header.js';

const MESSAGE = ['message', 'exact', 'bytes', 'compressed', 'leftOut'] as const;

/** What each kind of event has, beside its time. */
const MEMBERS = {
  'connection-open': ['address', 'protocol', 'upgradeOf'],
  'connection-close': ['side', 'error'],
  'client-header': ['connection', 'headers'],
  'server-header': ['connection', 'headers'],
  'server-trailer': ['connection', 'headers'],
  'client-message': ['connection', ...MESSAGE],
  'server-message': ['connection', ...MESSAGE],
  'client-half-close': ['connection'],
  reset: ['connection', 'side', 'code'],
  goaway: ['side', 'code', 'debug'],
  gap: ['call', 'side', 'offset', 'bytes', 'reason'],
} as const satisfies Readonly<Record<NewEvent['kind'], readonly string[]>>;

const KINDS = Object.keys(MEMBERS) as (keyof typeof MEMBERS)[];
const SIDES = ['client', 'server'] as const;

/** The longest body that a cassette keeps (docs/cassette-format.md, "Bounds"). */
const MAX_MESSAGE = 64 * 1024 * 1024;
/** Some 146 years before or after: what lies between any two fits into a signed 64 bit number. */
const EARLIEST = -(1n << 62n);
const LATEST = (1n << 62n) - 1n;

export interface ReadContext {
  readonly conversation: Conversation;
  /** The time of the event before. */
  readonly before: Nanoseconds;
  /** Told where bytes stood beside something that was changed since. */
  readonly onStale: (at: LiteralPath) => void;
}

/** @throws LiteralError */
export function readEvent(literal: Literal, at: LiteralPath, context: ReadContext): NewEvent {
  const event = eventOf(literal, at, context);
  // Written all the same, it would be a gap.
  const reason = reasonNotKept(event);
  if (reason !== undefined) throw new LiteralError(`cannot be kept: ${reason}`, at);
  return event;
}

function eventOf(literal: Literal, at: LiteralPath, context: ReadContext): NewEvent {
  const kind = isMap(literal) ? KINDS.find((candidate) => literal.has(candidate)) : undefined;
  if (kind === undefined) throw new LiteralError(`is no event: it has none of ${KINDS.join(', ')}`, at);
  const fields = new Fields(literal, at, [kind, 'at', ...MEMBERS[kind]]);
  const time = fields.has('at') ? timeOf(fields) : context.before;
  const number = fields.count(kind);
  switch (kind) {
    case 'connection-open':
      return { kind, time, connection: number, address: fields.text('address'), ...fields.optional('protocol'), ...(fields.has('upgradeOf') ? { upgradeOf: fields.count('upgradeOf') } : {}) };
    case 'connection-close':
      return { kind, time, connection: number, side: fields.has('side') ? side(fields) : undefined, ...fields.optional('error') };
    case 'goaway':
      return { kind, time, connection: number, side: side(fields), code: code(fields), debug: fields.bytes('debug') };
    case 'gap':
      return { kind, time, connection: number, ...(fields.has('call') ? { call: fields.count('call') } : {}), side: side(fields), offset: fields.count('offset'), bytes: fields.count('bytes'), reason: fields.text('reason') };
    default:
      break;
  }
  const on = { time, connection: connectionOf(fields, number, context.conversation), call: number };
  switch (kind) {
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return { kind, ...on, headers: fields.list('headers').map((field, index) => header(field, [...at, 'headers', index])) };
    case 'client-message':
    case 'server-message':
      return { kind, ...on, ...body(fields, number, kind === 'client-message' ? 'client' : 'server', context) };
    case 'client-half-close':
      return { kind, ...on };
    case 'reset':
      return { kind, ...on, side: side(fields), code: code(fields) };
  }
}

function timeOf(fields: Fields): Nanoseconds {
  const [, sign = '', whole, fraction = ''] = /^(-?)(\d{1,10})(?:\.(\d{1,9}))?$/.exec(fields.text('at')) ?? [];
  const time = whole === undefined ? undefined : BigInt(`${sign}${whole}${fraction.padEnd(9, '0')}`);
  if (time === undefined || time < EARLIEST || time > LATEST) throw fields.wrong('at', 'seconds since the recording began, with nine decimals at most');
  return time;
}

function connectionOf(fields: Fields, call: number, conversation: Conversation): number {
  if (fields.has('connection')) return fields.count('connection');
  const known = conversation.connectionOf(call);
  if (known === undefined) throw new LiteralError(`is the first event of call ${call}, and has to name its connection`, fields.at);
  return known;
}

const side = (fields: Fields): Side => fields.oneOf('side', SIDES);

function code(fields: Fields): number {
  const name = fields.text('code');
  return Object.entries<number>(ErrorCode).find(([known]) => known === name)?.[1] ?? numericCode(fields, name);
}

function header(literal: Literal, at: LiteralPath): HeaderField {
  const [name, value] = (isMap(literal) && literal.size === 1 ? [...literal][0] : undefined) ?? [];
  if (name === undefined || value === undefined) throw new LiteralError(`is ${kindOf(literal)}, and should be one header: "name: value"`, at);
  const here = [...at, name];
  if (isMap(value) && name === STATUS_DETAILS) return { name, value: headerBase64(within(here, () => readMessage(STATUS_TYPE, value).bytes)) };
  return { name, value: textBytes(value, 'a text or !!binary', here) };
}

function numericCode(fields: Fields, text: string): number {
  if (!/^\d/.test(text)) throw fields.wrong('code', `one of ${Object.keys(ErrorCode).join(', ')}, or a number`);
  return fields.count('code');
}

type Body = Pick<Extract<NewEvent, { readonly compressed: boolean }>, 'compressed' | 'size' | 'data'>;

function body(fields: Fields, call: number, from: Side, { conversation, onStale }: ReadContext): Body {
  const compressed = fields.has('compressed') && fields.oneOf('compressed', ['true', 'false']) === 'true';
  const [given, another] = (['message', 'bytes', 'leftOut'] as const).filter((name) => fields.has(name));
  if (given === undefined || another !== undefined) throw new LiteralError('has to have one of message, bytes, and leftOut', fields.at);
  if (fields.has('exact') && given !== 'message') throw new LiteralError('stands beside a message only', [...fields.at, 'exact']);
  if (given === 'leftOut') return { compressed, size: fields.count('leftOut'), data: undefined };
  const place = [...fields.at, given];
  const data = given === 'bytes' ? fields.bytes('bytes') : messageBytes(fields, compressed, conversation.messageOf(call, from), onStale);
  if (data.length > MAX_MESSAGE) throw new LiteralError(`has ${data.length} bytes; a cassette keeps ${MAX_MESSAGE} at most`, place);
  return { compressed, size: data.length, data: [whole(data)] };
}

function messageBytes(fields: Fields, compressed: boolean, message: { readonly typeName: string | undefined } | undefined, onStale: ReadContext['onStale']): Uint8Array {
  const place = [...fields.at, 'message'];
  if (compressed) throw new LiteralError('is a compressed message, which is written as bytes', place);
  if (message === undefined) throw new LiteralError('is content of HTTP/1.1, which is written as bytes', place);
  const exact = fields.has('exact') ? fields.bytes('exact') : undefined;
  const { bytes, stale } = within(place, () => readMessage(message.typeName, fields.get('message'), exact));
  for (const at of stale) onStale(at.length === 0 ? [...fields.at, 'exact'] : [...place, ...at, 'exact']);
  return bytes;
}
