/** The `frontend` field of the header record. */
import type { FrontendExit, FrontendFile, FrontendRun } from '../frontend-run.js';
import { MAX_FRONTEND_DATA, MAX_FRONTEND_FILES, MAX_FRONTEND_GROUPS, MAX_FRONTEND_TEXT, MAX_FRONTEND_TEXTS, MAX_UINT32 } from './bounds.js';
import { asArray, asBytes, asCount, asMap, asString, type Fields, Malformed, type Packable } from './msgpack.js';

export function encodeFrontendRun({ arguments: argv, environment, directory, user, files, exit }: FrontendRun): Packable {
  return {
    arguments: argv,
    environment,
    directory,
    user: [user.uid, user.gid, user.additionalGids],
    files: files.map(({ path, data }) => [path, data]),
    ...(exit === undefined ? {} : { exit: 'signal' in exit ? exit.signal : exit.status }),
  };
}

export function decodeFrontendRun(value: unknown): FrontendRun {
  const field = asMap(value, 'frontend');
  const argv = asArray(field('arguments'), 'arguments');
  const texts = [...argv, ...asArray(field('environment'), 'environment'), field('directory')].map((text) => asString(text, 'a text of the frontend'));
  if (texts.length > MAX_FRONTEND_TEXTS) throw new Malformed(`the frontend has more than ${MAX_FRONTEND_TEXTS} arguments and variables`);
  if (texts.reduce((sum, text) => sum + text.length, 0) > MAX_FRONTEND_TEXT) throw new Malformed(`the frontend's arguments and variables take more than ${MAX_FRONTEND_TEXT} characters`);
  const exit = exitOf(field);
  return {
    arguments: texts.slice(0, argv.length),
    environment: texts.slice(argv.length, -1),
    directory: texts.at(-1) ?? '',
    user: userOf(field),
    files: filesOf(field),
    ...(exit === undefined ? {} : { exit }),
  };
}

function userOf(field: Fields): FrontendRun['user'] {
  const [uid, gid, groups] = asArray(field('user'), 'user');
  const additional = asArray(groups, 'additional groups');
  if (additional.length > MAX_FRONTEND_GROUPS) throw new Malformed(`the frontend's user is in more than ${MAX_FRONTEND_GROUPS} groups`);
  return { uid: asId(uid), gid: asId(gid), additionalGids: additional.map(asId) };
}

/** A uid or gid as Linux has them, or an exit status as any system has them. */
function asId(value: unknown): number {
  const id = asCount(value, 'an id');
  if (id > MAX_UINT32) throw new Malformed('an id is larger than 32 bits');
  return id;
}

function filesOf(field: Fields): FrontendFile[] {
  const rows = asArray(field('files'), 'files');
  if (rows.length > MAX_FRONTEND_FILES) throw new Malformed(`the frontend has more than ${MAX_FRONTEND_FILES} files`);
  const files = rows.map((row) => {
    const [path, data] = asArray(row, 'file');
    // A copy: the header outlives the record that it is read from.
    return { path: asString(path, 'path'), data: new Uint8Array(asBytes(data, 'contents')) };
  });
  if (files.reduce((sum, { path, data }) => sum + path.length + data.length, 0) > MAX_FRONTEND_DATA) throw new Malformed(`the frontend's files take more than ${MAX_FRONTEND_DATA} bytes`);
  return files;
}

function exitOf(field: Fields): FrontendExit | undefined {
  const exit = field('exit');
  if (exit === undefined || exit === null) return undefined;
  return typeof exit === 'string' ? { signal: exit } : { status: asId(exit) };
}
