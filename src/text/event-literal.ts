/** Events as literals: the kind and the call's number first, then when, then what. */
import { bytesLiteral, Plain, writeMessage, type Literal, type LiteralMap } from '../bridge/index.js';
import type { CassetteEvent, HeaderField, MessageEvent } from '../cassette/index.js';
import { seconds } from '../quantity.js';
import { ErrorCode, errorCodeName } from '../wire/index.js';
import type { Conversation } from './conversation.js';
import { statusLiteral } from './status-header.js';

type Members = [string, Literal][];

const number = (value: number): Plain => new Plain(String(value));

/** @param conversation what was said before it */
export function eventLiteral(event: CassetteEvent, conversation: Conversation): LiteralMap {
  const of: Members = 'call' in event && event.kind !== 'gap' ? [[event.kind, number(event.call)]] : [[event.kind, number(event.connection)]];
  const at: Members = [['at', new Plain(seconds(event.time, 9))]];
  const isFirst = 'call' in event && event.kind !== 'gap' && conversation.connectionOf(event.call) !== event.connection;
  const connection: Members = isFirst ? [['connection', number(event.connection)]] : [];
  return new Map([...of, ...at, ...connection, ...contents(event, conversation)]);
}

function contents(event: CassetteEvent, conversation: Conversation): Members {
  switch (event.kind) {
    case 'connection-open':
      return [['address', event.address], ...optional('protocol', event.protocol), ...(event.upgradeOf === undefined ? [] : [['upgradeOf', number(event.upgradeOf)] satisfies [string, Literal]])];
    case 'connection-close':
      return [...optional('side', event.side), ...optional('error', event.error)];
    case 'client-header':
    case 'server-header':
    case 'server-trailer':
      return [['headers', event.headers.map(fieldLiteral)]];
    case 'client-message':
    case 'server-message':
      return body(event, conversation);
    case 'client-half-close':
      return [];
    case 'reset':
      return [['side', event.side], ['code', code(event.code)]];
    case 'goaway':
      return [['side', event.side], ['code', code(event.code)], ['debug', bytesLiteral(event.debug)]];
    case 'gap':
      return [...(event.call === undefined ? [] : [['call', number(event.call)] satisfies [string, Literal]]), ['side', event.side], ['offset', number(event.offset)], ['bytes', number(event.bytes)], ['reason', event.reason]];
  }
}

const optional = (name: string, value: string | undefined): Members => (value === undefined ? [] : [[name, value]]);

const code = (value: number): Plain => (Object.values<number>(ErrorCode).includes(value) ? new Plain(errorCodeName(value)) : number(value));

function fieldLiteral({ name, value }: HeaderField): LiteralMap {
  return new Map([[name, statusLiteral(name, value) ?? bytesLiteral(value)]]);
}

function body({ kind, call, compressed, size, data }: MessageEvent, conversation: Conversation): Members {
  const how: Members = compressed ? [['compressed', new Plain('true')]] : [];
  if (data === undefined) return [...how, ['leftOut', number(size)]];
  const message = compressed ? undefined : conversation.messageOf(call, kind === 'client-message' ? 'client' : 'server');
  const { literal, exact } = message === undefined ? { literal: undefined, exact: false } : writeMessage(message.typeName, data);
  if (literal === undefined) return [...how, ['bytes', bytesLiteral(data)]];
  return [['message', literal], ...(exact ? [] : [['exact', data] satisfies [string, Literal]])];
}
