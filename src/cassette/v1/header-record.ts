/** The `hdr` record: a map, so that later fields can be added and read past. */
import type { CassetteHeader, NewHeader } from '../header.js';
import { MAX_HEADER } from './bounds.js';
import { decodeFrontendRun, encodeFrontendRun } from './frontend-run.js';
import { asArray, asCount, asMap, asOptional, asString, decode, Malformed } from './msgpack.js';
import { encode } from './msgpack-encoder.js';

export interface HeaderRecord {
  readonly header: CassetteHeader;
  /** In a journal only: the process that is recording. */
  readonly recorder: number | undefined;
}

/** @throws Malformed for a header that no reader would take */
export function encodeHeader(header: NewHeader, recorder: number | undefined): Uint8Array {
  const content = encode({
    tool: header.tool,
    startedAt: header.startedAt.toISOString(),
    listen: header.listen,
    upstream: header.upstream,
    ...(header.docker === undefined ? {} : { docker: header.docker }),
    ...(header.command === undefined ? {} : { command: header.command }),
    ...(header.frontend === undefined ? {} : { frontend: encodeFrontendRun(header.frontend) }),
    ...(header.buildkitVersion === undefined ? {} : { buildkitVersion: header.buildkitVersion }),
    bodiesLeftOut: header.bodiesLeftOut,
    ...(recorder === undefined ? {} : { recorder }),
  });
  decodeHeader(content);
  return content;
}

export function decodeHeader(content: Uint8Array): HeaderRecord {
  if (content.length > MAX_HEADER) throw new Malformed(`the header takes ${content.length} bytes, more than ${MAX_HEADER}`);
  const field = asMap(decode(content), 'the header');
  const startedAt = new Date(asString(field('startedAt'), 'startedAt'));
  if (Number.isNaN(startedAt.getTime())) throw new Malformed('startedAt is not a time');
  const docker = asOptional(field('docker'), asString, 'docker');
  const command = asOptional(field('command'), asStrings, 'command');
  const frontend = asOptional(field('frontend'), decodeFrontendRun, 'frontend');
  const buildkitVersion = asOptional(field('buildkitVersion'), asString, 'buildkitVersion');
  return {
    header: {
      formatVersion: 1,
      tool: asString(field('tool'), 'tool'),
      startedAt,
      listen: asStrings(field('listen'), 'listen'),
      upstream: asString(field('upstream'), 'upstream'),
      ...(docker === undefined ? {} : { docker }),
      ...(command === undefined ? {} : { command }),
      ...(frontend === undefined ? {} : { frontend }),
      ...(buildkitVersion === undefined ? {} : { buildkitVersion }),
      bodiesLeftOut: asStrings(field('bodiesLeftOut'), 'bodiesLeftOut'),
    },
    recorder: asOptional(field('recorder'), asCount, 'recorder'),
  };
}

function asStrings(value: unknown, what: string): string[] {
  return asArray(value, what).map((item) => asString(item, what));
}
