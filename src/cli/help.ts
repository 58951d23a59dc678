/** The help, laid out by yargs, which is loaded only for this: it takes longer to load than a replay does to begin. */
import yargs, { type Argv } from 'yargs';

import { COMMON, type Option, type Options, type Synopsis, type Topic } from './synopsis.js';

/** A command as the list of all commands has it. */
export interface Listed {
  readonly name: string;
  /** What it must be given, as in its usage. */
  readonly takes: string;
  readonly summary: string;
}

/** Columns; a wider terminal is not filled. */
const WIDEST = 100;
/** In fewer columns yargs breaks the longest names in two: there the terminal breaks the lines. */
const NARROWEST = 60;

export async function overview(commands: readonly Listed[], columns: number): Promise<string> {
  const parser = blank(columns).usage('Record and replay the gRPC traffic between BuildKit frontends and buildkitd.\n\nUsage: bridgetape COMMAND');
  for (const { name, takes, summary } of commands) parser.command(`${name} ${takes}`, summary);
  return await withOptions(parser, COMMON).epilogue('bridgetape COMMAND --help says more about one.').getHelp();
}

export async function help({ name, about, operands, options, runsCommand, examples, notes, topics = [] }: Synopsis, columns: number): Promise<string> {
  const named = Object.entries(operands).map(([operand, { required, many }]) => {
    const name = `${operand.toUpperCase()}${many === true ? '...' : ''}`;
    return required === true ? name : `[${name}]`;
  });
  const elsewhere = topics.flatMap((topic) => Object.keys(topic.options ?? {}));
  const own = Object.fromEntries(Object.entries(options).filter(([option]) => !elsewhere.includes(option)));
  const required = Object.entries(options).flatMap(([option, it]) => (it.kind === 'text' && it.required === true ? [`${it.short === undefined ? `--${option}` : `-${it.short}`} ${it.value}`] : []));
  const usage = ['Usage: bridgetape', name, ...named, ...required, '[options]', ...(runsCommand ? ['[-- CMD...]'] : [])].join(' ');
  const parser = blank(columns).usage(`${usage}\n\n${about}`);
  for (const [operand, it] of Object.entries(operands)) parser.positional(operand.toUpperCase(), { describe: it.about });
  for (const { line, about: why } of examples) parser.example(line, why ?? '');
  if (notes.length > 0) parser.epilogue(notes.join('\n\n'));
  return await withOptions(parser, { ...own, ...COMMON }).getHelp();
}

export function topicHelp({ paragraphs, tables: own, options = {}, examples }: Topic, columns: number): string {
  const tables = Object.keys(options).length === 0 ? own : [...own, { title: 'Options', rows: Object.entries(options).map(optionRow) }];
  const width = Math.max(Math.min(columns, WIDEST), NARROWEST);
  const indent = Math.max(...tables.flatMap(({ rows }) => rows.map(([form]) => form.length))) + 4;
  const row = ([form, about]: readonly [string, string]): string => wrapped(about, width - indent).map((line, at) => `${(at === 0 ? `  ${form}` : '').padEnd(indent)}${line}`).join('\n');
  return [
    ...paragraphs.map((text) => wrapped(text, width).join('\n')),
    ...tables.map(({ title, rows }) => [...wrapped(`${title}:`, width), ...rows.map(row)].join('\n')),
    ['Examples:', ...examples.map((line) => `  ${line}`)].join('\n'),
  ].join('\n\n');
}

function optionRow([name, option]: readonly [string, Option]): readonly [form: string, about: string] {
  const form = option.kind === 'flag' ? `--${name}` : `--${name} ${option.value}`;
  const again = option.kind === 'list' ? '; can be given again' : '';
  const byDefault = option.kind === 'text' && option.defaultAbout !== undefined ? ` [default: ${option.defaultAbout}]` : '';
  return [form, `${option.about}${again}${byDefault}`];
}

/** Lines of whole words; a word that is longer has one to itself. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    if (line !== undefined && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === undefined ? word : `${line} ${word}`;
    }
  }
  return [...lines, line ?? ''];
}

function blank(columns: number): Argv {
  return yargs([]).scriptName('bridgetape').locale('en').help(false).version(false).wrap(Math.max(Math.min(columns, WIDEST), NARROWEST));
}

function withOptions(parser: Argv, options: Options): Argv {
  for (const [name, option] of Object.entries(options)) parser.option(name, described(name, option));
  return parser;
}

function described(name: string, option: Option): { describe: string; alias?: string; default?: string; defaultDescription?: string; type?: 'boolean' } {
  switch (option.kind) {
    case 'flag':
      return { describe: option.about, ...(name === 'help' ? { alias: 'h' } : {}) };
    case 'text':
      return {
        describe: `${option.value}: ${option.about}`,
        ...(option.short === undefined ? {} : { alias: option.short }),
        ...(option.defaultAbout === undefined ? {} : { defaultDescription: option.defaultAbout, default: '' }),
        ...(option.default === undefined ? {} : { defaultDescription: option.default, default: option.default }),
      };
    case 'list':
      return { describe: `${option.value}: ${option.about}; can be given again` };
  }
}
