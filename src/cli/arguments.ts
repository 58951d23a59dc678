/** Words → the values of a command's operands and options, as its synopsis has them. */
import { BridgetapeError } from '../errors.js';
import { COMMON, type Operands, type Option, type Options, type Synopsis, type Values } from './synopsis.js';

type Value = boolean | string | string[] | undefined;

/**
 * @param command what stood after `--`; undefined when there was no `--`
 * @throws BridgetapeError `bad-argument`
 */
export function parseArguments<P extends Operands, O extends Options>(
  { name: own, operands, options, runsCommand }: Synopsis<P, O>,
  words: readonly string[],
  command: readonly string[] | undefined,
): Values<P, O> {
  const refusal = (what: string): BridgetapeError => new BridgetapeError('bad-argument', what, `bridgetape ${own} --help lists what it takes.`);
  if (command !== undefined && !runsCommand) throw refusal(`${own} runs no command: nothing can stand after --.`);
  const known: Options = { ...COMMON, ...options };
  const values = new Map<string, Value>(Object.entries(known).map(([name, option]) => [name, initial(option)]));
  const open = Object.keys(operands);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!isOption(word)) {
      const operand = open.shift();
      if (operand === undefined) throw refusal(`"${word}" is one word too many for ${own}.`);
      values.set(operand, word);
      continue;
    }
    const { name, inline } = split(word, known);
    const option = Object.hasOwn(known, name) ? known[name] : undefined;
    if (option === undefined) throw refusal(`${own} does not take ${word}.`);
    if (option.kind === 'flag') {
      if (inline !== undefined) throw refusal(`--${name} takes no value.`);
      values.set(name, true);
      continue;
    }
    const value = inline ?? words[(at += 1)];
    if (value === undefined || (inline === undefined && isOption(value))) throw refusal(`--${name} needs ${option.value} behind it.`);
    const before = values.get(name);
    values.set(name, Array.isArray(before) ? [...before, value] : value);
  }
  for (const [name, { required }] of Object.entries(operands)) {
    if (required === true && !values.has(name)) throw refusal(`${own} needs ${name.toUpperCase()}.`);
  }
  for (const [name, option] of Object.entries(options)) {
    if (option.kind === 'text' && option.required === true && values.get(name) === undefined) throw refusal(`${own} needs --${name} ${option.value}.`);
  }
  // Each name has a value of its kind now; that it is the synopsis' own type is more than the compiler can follow.
  return Object.fromEntries(values) as Values<P, O>;
}

function initial(option: Option): Value {
  switch (option.kind) {
    case 'flag':
      return false;
    case 'text':
      return option.default;
    case 'list':
      return [];
  }
}

/** `-` alone is a file by custom, and `-1` is a number. */
function isOption(word: string): boolean {
  return /^-[^\d]/.test(word);
}

/** `--name`, `--name=value`, `-n`, `-nvalue` or `-n=value`; the long name, if the letter is one of an option's. */
function split(word: string, options: Options): { readonly name: string; readonly inline: string | undefined } {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    return equals === -1 ? { name: word.slice(2), inline: undefined } : { name: word.slice(2, equals), inline: word.slice(equals + 1) };
  }
  const letter = word.charAt(1);
  const long = Object.entries(options).find(([, option]) => option.kind === 'text' && option.short === letter);
  return { name: long?.[0] ?? letter, inline: word.length === 2 ? undefined : word.slice(word.charAt(2) === '=' ? 3 : 2) };
}
