/** The help, laid out for a width. */
import { COMMON, type Option, type Synopsis } from './synopsis.js';

/** A command as the list of all commands has it. */
export interface Listed {
  readonly name: string;
  /** What it must be given, as in its usage. */
  readonly takes: string;
  readonly summary: string;
}

/** Columns; a wider terminal is not filled. */
const WIDEST = 100;

export function overview(commands: readonly Listed[], columns: number): string[] {
  const width = Math.min(columns, WIDEST);
  return [
    ...wrapped('Record and replay the gRPC traffic between BuildKit frontends and buildkitd.', width),
    '',
    'Usage: bridgetape COMMAND',
    ...section('Commands:', commands.map(({ name, takes, summary }) => [`${name} ${takes}`, summary]), width),
    ...section('Options:', Object.entries(COMMON).map(row), width),
    '',
    ...wrapped('bridgetape COMMAND --help says more about one.', width),
  ];
}

export function help({ name, about, operands, options, runsCommand, examples, notes }: Synopsis, columns: number): string[] {
  const width = Math.min(columns, WIDEST);
  const named = Object.entries(operands).map(([operand, { required }]) => (required === true ? operand.toUpperCase() : `[${operand.toUpperCase()}]`));
  const required = Object.entries(options).flatMap(([option, it]) => (it.kind === 'text' && it.required === true ? [`${it.short === undefined ? `--${option}` : `-${it.short}`} ${it.value}`] : []));
  return [
    ['Usage: bridgetape', name, ...named, ...required, '[options]', ...(runsCommand ? ['[-- CMD...]'] : [])].join(' '),
    '',
    ...wrapped(about, width),
    ...section('Operands:', Object.entries(operands).map(([operand, it]) => [operand.toUpperCase(), it.about]), width),
    ...section('Options:', Object.entries({ ...options, ...COMMON }).map(row), width),
    '',
    'Examples:',
    ...examples.flatMap(({ line, about: why }) => [...(why === undefined ? [] : indent(wrapped(`# ${why}`, width - 2))), `  ${line}`]),
    ...notes.flatMap((note) => ['', ...wrapped(note, width)]),
  ];
}

type Row = readonly [left: string, right: string];

function row([name, option]: [string, Option]): Row {
  const short = name === 'help' ? 'h' : option.kind === 'text' ? option.short : undefined;
  const left = `${short === undefined ? '   ' : `-${short},`} --${name}`;
  switch (option.kind) {
    case 'flag':
      return [left, option.about];
    case 'text': {
      const value = option.defaultAbout ?? option.default;
      return [`${left} ${option.value}`, `${option.about}${value === undefined ? '' : ` [default: ${value}]`}`];
    }
    case 'list':
      return [`${left} ${option.value}`, `${option.about}; can be given again`];
  }
}

/** Two columns; what is too long for the left one stands on a line of its own. */
function section(title: string, rows: readonly Row[], width: number): string[] {
  if (rows.length === 0) return [];
  const left = Math.min(Math.max(...rows.map(([text]) => text.length)), Math.floor(width / 3));
  return [
    '',
    title,
    ...rows.flatMap(([text, about]) => {
      const lines = wrapped(about, width - left - 4);
      const [first = '', ...rest] = text.length > left ? ['', ...lines] : lines;
      return [`  ${text.padEnd(left)}  ${first}`.trimEnd(), ...rest.map((line) => `${' '.repeat(left + 4)}${line}`)];
    }),
  ];
}

/** Lines of whole words. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
