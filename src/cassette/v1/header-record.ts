/** The `hdr` record: a map, so that later fields can be added and read past. */
import type { CassetteHeader, NewHeader } from '../header.js';
import { asArray, asCount, asOptional, asString, decode, encode, Malformed } from './msgpack.js';

export interface HeaderRecord {
  readonly header: CassetteHeader;
  /** In a journal only: the process that is recording. */
  readonly recorder: number | undefined;
}

export function encodeHeader(header: NewHeader, recorder: number | undefined): Uint8Array {
  return encode({
    tool: header.tool,
    startedAt: header.startedAt.toISOString(),
    listen: header.listen,
    upstream: header.upstream,
    ...(header.command === undefined ? {} : { command: header.command }),
    ...(header.buildkitVersion === undefined ? {} : { buildkitVersion: header.buildkitVersion }),
    bodiesLeftOut: header.bodiesLeftOut,
    ...(recorder === undefined ? {} : { recorder }),
  });
}

export function decodeHeader(content: Uint8Array): HeaderRecord {
  const map = decode(content);
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw new Malformed('the header is not a map');
  const field = (name: string): unknown => Object.getOwnPropertyDescriptor(map, name)?.value;
  const startedAt = new Date(asString(field('startedAt'), 'startedAt'));
  if (Number.isNaN(startedAt.getTime())) throw new Malformed('startedAt is not a time');
  const command = asOptional(field('command'), asStrings, 'command');
  const buildkitVersion = asOptional(field('buildkitVersion'), asString, 'buildkitVersion');
  return {
    header: {
      formatVersion: 1,
      tool: asString(field('tool'), 'tool'),
      startedAt,
      listen: asStrings(field('listen'), 'listen'),
      upstream: asString(field('upstream'), 'upstream'),
      ...(command === undefined ? {} : { command }),
      ...(buildkitVersion === undefined ? {} : { buildkitVersion }),
      bodiesLeftOut: asStrings(field('bodiesLeftOut'), 'bodiesLeftOut'),
    },
    recorder: asOptional(field('recorder'), asCount, 'recorder'),
  };
}

function asStrings(value: unknown, what: string): string[] {
  return asArray(value, what).map((item) => asString(item, what));
}
