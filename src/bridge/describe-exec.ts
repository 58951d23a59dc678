/** An ExecMessage in one line. */
import { parseExec, type ExecInput } from './exec.js';
import { codeName, commandLine, quoted } from './text.js';

/** So many bytes of a chunk are shown. */
const MAX_CHUNK = 200;
const MAX_COMMAND = 500;

type Side = 'client' | 'server';

/** The client writes to stdin, the server sends what came from the others. */
const FD_NAMES: Readonly<Record<Side, Readonly<Record<number, string>>>> = {
  client: { 0: 'stdin' },
  server: { 1: 'stdout', 2: 'stderr' },
};

const fdName = (fd: number, side: Side): string => FD_NAMES[side][fd] ?? `fd ${fd}`;

const cut = (text: string): string => (text.length > MAX_COMMAND ? `${text.slice(0, MAX_COMMAND)}…` : text);

function inputText(input: ExecInput, side: Side): string {
  switch (input.kind) {
    case 'init':
      return `init ${cut(commandLine(input.args))}${input.tty ? '  tty' : ''}${input.fds.length > 0 ? `  fds ${input.fds.join(' ')}` : ''}`;
    case 'file': {
      const data = input.data.length > 0 ? ` ${input.data.length} B ${quoted(input.data, MAX_CHUNK)}` : '';
      return `${fdName(input.fd, side)}${data}${input.eof ? ' EOF' : ''}`;
    }
    case 'resize':
      return `resize ${input.cols}x${input.rows}`;
    case 'signal':
      return `signal ${input.name}`;
    case 'started':
      return 'started';
    case 'exit':
      return `exit ${input.code}${input.error ? `  ${codeName(input.error.code)}: ${cut(input.error.message)}` : ''}`;
    case 'done':
      return 'done';
    case 'unknown':
      return input.field === 0 ? 'empty' : `field #${input.field}`;
  }
}

/**
 * An ExecMessage as what it is, with the process that it is about.
 *
 * @param side who sent it
 * @example describeExec(message, 'server').text // 'stdout 6 B "tick1\n"', 'exit 3', 'resize 80x24', 'stdin EOF'
 */
export function describeExec(payload: Uint8Array, side: Side): { readonly process: string; readonly text: string } {
  const step = parseExec(payload);
  return step ? { process: step.process, text: inputText(step.input, side) } : { process: '', text: `undecodable, ${payload.length} B ${quoted(payload, MAX_CHUNK)}` };
}
