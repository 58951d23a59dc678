/** A cassette's header as a literal, and back. */
import { LiteralError, Plain, readMessage, writeMessage, type Literal, type LiteralMap, type LiteralPath } from '../bridge/index.js';
import type { CassetteHeader, FrontendExit, FrontendFile, FrontendRun, NewHeader } from '../cassette/index.js';
import { Fields, MAX_UINT32 } from './fields.js';

/** BuildKit writes one metadata file, and this is what it holds. */
const DEFINITION = 'pb.Definition';

type Members = readonly (readonly [string, Literal | undefined])[];

const literalMap = (members: Members): LiteralMap => new Map(members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
const number = (value: number): Plain => new Plain(String(value));

export function headerLiteral({ tool, startedAt, listen, upstream, docker, command, frontend, buildkitVersion, bodiesLeftOut }: CassetteHeader): LiteralMap {
  return literalMap([
    ['tool', tool],
    ['startedAt', startedAt.toISOString()],
    ['listen', listen],
    ['upstream', upstream],
    ['docker', docker],
    ['command', command],
    ['frontend', frontend && frontendLiteral(frontend)],
    ['buildkitVersion', buildkitVersion],
    ['bodiesLeftOut', bodiesLeftOut],
  ]);
}

function frontendLiteral({ arguments: argv, environment, directory, user, files, exit }: FrontendRun): LiteralMap {
  return literalMap([
    ['arguments', argv],
    ['environment', environment],
    ['directory', directory],
    ['user', literalMap([['uid', number(user.uid)], ['gid', number(user.gid)], ['additionalGids', user.additionalGids.map(number)]])],
    ['files', files.map(fileLiteral)],
    ['exit', exit && ('signal' in exit ? literalMap([['signal', exit.signal]]) : literalMap([['status', number(exit.status)]]))],
  ]);
}

function fileLiteral({ path, data }: FrontendFile): LiteralMap {
  const written = path.endsWith('.bin') ? writeMessage(DEFINITION, data) : undefined;
  return literalMap([['path', path], written?.exact === true ? ['definition', written.literal] : ['data', data]]);
}

/** @throws LiteralError */
export function readHeader(literal: Literal, at: LiteralPath): NewHeader {
  const fields = new Fields(literal, at, ['tool', 'startedAt', 'listen', 'upstream', 'docker', 'command', 'frontend', 'buildkitVersion', 'bodiesLeftOut']);
  const startedAt = new Date(fields.text('startedAt'));
  if (Number.isNaN(startedAt.getTime())) throw fields.wrong('startedAt', 'a time, such as 2026-11-24T11:50:25.000Z');
  return {
    tool: fields.text('tool'),
    startedAt,
    listen: fields.texts('listen'),
    upstream: fields.text('upstream'),
    ...fields.optional('docker'),
    ...(fields.has('command') ? { command: fields.texts('command') } : {}),
    ...(fields.has('frontend') ? { frontend: readFrontend(fields.get('frontend'), [...at, 'frontend']) } : {}),
    ...fields.optional('buildkitVersion'),
    bodiesLeftOut: fields.texts('bodiesLeftOut'),
  };
}

function readFrontend(literal: Literal, at: LiteralPath): FrontendRun {
  const fields = new Fields(literal, at, ['arguments', 'environment', 'directory', 'user', 'files', 'exit']);
  const user = new Fields(fields.get('user'), [...at, 'user'], ['uid', 'gid', 'additionalGids']);
  const gids = user.list('additionalGids').map((gid, index) => new Fields(new Map([['gid', gid]]), [...at, 'user', 'additionalGids', index], ['gid']).count('gid', MAX_UINT32));
  return {
    arguments: fields.texts('arguments'),
    environment: fields.texts('environment'),
    directory: fields.text('directory'),
    user: { uid: user.count('uid', MAX_UINT32), gid: user.count('gid', MAX_UINT32), additionalGids: gids },
    files: fields.list('files').map((file, index) => readFile(file, [...at, 'files', index])),
    ...(fields.has('exit') ? { exit: readExit(fields.get('exit'), [...at, 'exit']) } : {}),
  };
}

function readFile(literal: Literal, at: LiteralPath): FrontendFile {
  const fields = new Fields(literal, at, ['path', 'data', 'definition']);
  const path = fields.text('path');
  if (fields.has('data') === fields.has('definition')) throw new LiteralError('needs either data or definition', at);
  return { path, data: fields.has('data') ? fields.bytes('data') : within([...at, 'definition'], () => readMessage(DEFINITION, fields.get('definition')).bytes) };
}

function readExit(literal: Literal, at: LiteralPath): FrontendExit {
  const fields = new Fields(literal, at, ['status', 'signal']);
  if (fields.has('status') === fields.has('signal')) throw new LiteralError('needs either status or signal', at);
  return fields.has('status') ? { status: fields.count('status', MAX_UINT32) } : { signal: fields.text('signal') };
}

/** What is wrong within, with its place from the top. */
export function within<T>(at: LiteralPath, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof LiteralError) throw new LiteralError(error.reason, [...at, ...error.at]);
    throw error;
  }
}
