/** What an op is called where it has to be told from others: its command, its source, what it does with files. */
import { commandLine } from './text.js';

/** An op's canonical fields, by their paths within it. */
export type OpFields = ReadonlyMap<string, string>;

const MAX_NAME = 120;
/** Arguments and file actions that a name can be made of; more of them would not be read. */
const MAX_PARTS = 64;
const SHELLS: ReadonlySet<string> = new Set(['/bin/sh', 'sh', '/bin/bash', 'bash']);

/** @example opName(new Map([['exec.meta.args[0]', '"make"']])) // 'RUN make' */
export function opName(fields: OpFields): string {
  const name = nameOf(fields).replace(/\s+/g, ' ');
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME).replace(/[\ud800-\udbff]$/, '')}…` : name;
}

/** Which of the op's kinds it is: `exec`, `source`, `file`, … or what there is instead. */
export function opKind(fields: OpFields): string {
  for (const path of fields.keys()) {
    const kind = /^[^.[]+/.exec(path)?.[0] ?? '';
    if (kind !== 'platform' && kind !== 'constraints') return kind;
  }
  return 'result';
}

function nameOf(fields: OpFields): string {
  const kind = opKind(fields);
  switch (kind) {
    case 'exec':
      return `RUN ${command(list(fields, 'exec.meta.args'))}`;
    case 'source':
      return `source ${text(fields, 'source.identifier') ?? ''}`;
    case 'file':
      return fileActions(fields).join(', ') || 'file';
    default:
      return kind;
  }
}

/** As it stood in a Dockerfile, when a shell is to run it. */
function command(args: readonly string[]): string {
  const [shell = '', flag, script] = args;
  return args.length === 3 && script !== undefined && flag === '-c' && SHELLS.has(shell) ? script : commandLine(args);
}

function fileActions(fields: OpFields): readonly string[] {
  const actions: string[] = [];
  for (let index = 0; index < MAX_PARTS; index += 1) {
    const at = `file.actions[${index}]`;
    const of = (path: string): string => text(fields, `${at}.${path}`) ?? '';
    const kind = ['copy', 'mkfile', 'mkdir', 'rm', 'symlink'].find((name) => [...fields.keys()].some((path) => path.startsWith(`${at}.${name}`)));
    if (kind === undefined) break;
    if (kind === 'copy') actions.push(`COPY ${of('copy.src')} ${of('copy.dest')}`);
    else if (kind === 'symlink') actions.push(`symlink ${of('symlink.newpath')} → ${of('symlink.oldpath')}`);
    else actions.push(`${kind} ${of(`${kind}.path`)}`);
  }
  return actions;
}

function list(fields: OpFields, path: string): readonly string[] {
  const values: string[] = [];
  for (let value = text(fields, `${path}[0]`); value !== undefined && values.length < MAX_PARTS; value = text(fields, `${path}[${values.length}]`)) values.push(value);
  return values;
}

function text(fields: OpFields, path: string): string | undefined {
  const value = fields.get(path);
  if (value?.startsWith('"') !== true) return value;
  const parsed: unknown = JSON.parse(value);
  return typeof parsed === 'string' ? parsed : value;
}
