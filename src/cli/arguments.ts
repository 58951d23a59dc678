/** Words → the values of a command's operands and options, as its synopsis has them. */
import parse from 'yargs-parser';

import { BridgetapeError } from '../errors.js';
import { COMMON, otherNames, type Operands, type Options, type Synopsis, type Values } from './synopsis.js';

/** Words are words: no number is read out of them, and no structure. */
const AS_THEY_ARE = {
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'strip-aliased': true,
};

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
  const known = new Map(Object.entries({ ...COMMON, ...options }));
  const { argv, error } = parse.detailed([...words], { ...shapes(known), configuration: AS_THEY_ARE });
  const { _: given, ...parsed } = argv;
  for (const name of Object.keys(parsed)) {
    if (!known.has(name)) throw refusal(`${own} does not take ${name.length === 1 ? '-' : '--'}${name}.`);
  }
  const valued = [...known].find(([name, { kind }]) => kind === 'flag' && words.some((word) => word.startsWith(`--${name}=`)));
  if (valued !== undefined) throw refusal(`--${valued[0]} takes no value.`);
  const short = /: (\S+)$/.exec(error?.message ?? '')?.[1];
  const [unfinished] = [...known].filter(([name, option]) => short !== undefined && (name === short || otherNames(option).includes(short)));
  if (unfinished !== undefined && unfinished[1].kind !== 'flag') throw refusal(`--${unfinished[0]} needs ${unfinished[1].value} behind it.`);
  const names = Object.keys(operands);
  const many = Object.values(operands).at(-1)?.many === true;
  const extra = many ? undefined : given[names.length];
  if (extra !== undefined) throw refusal(`"${extra}" is one word too many for ${own}.`);
  const values = new Map<string, unknown>(names.map((name, at) => [name, operands[name]?.many === true ? given.slice(at) : given[at]]));
  for (const [name, option] of known) {
    const value: unknown = parsed[name];
    switch (option.kind) {
      case 'flag':
        values.set(name, value === true);
        break;
      case 'text':
        // Given several times: the last one counts.
        values.set(name, (Array.isArray(value) ? value.at(-1) : value) ?? option.default);
        if (option.required === true && value === undefined) throw refusal(`${own} needs --${name} ${option.value}.`);
        break;
      case 'list':
        values.set(name, value ?? []);
    }
  }
  for (const [name, { required }] of Object.entries(operands)) {
    const value = values.get(name);
    if (required === true && (value === undefined || (Array.isArray(value) && value.length === 0))) throw refusal(`${own} needs ${name.toUpperCase()}.`);
  }
  // Each name has a value of its kind now; that it is the synopsis' own type is more than the compiler can follow.
  return Object.fromEntries(values) as Values<P, O>;
}

/** The options as yargs-parser wants to be told of them. */
function shapes(known: ReadonlyMap<string, Options[string]>): Pick<parse.Options, 'boolean' | 'string' | 'array' | 'alias' | 'narg'> {
  const of = (kind: Options[string]['kind']): string[] => [...known].flatMap(([name, option]) => (option.kind === kind ? [name] : []));
  return {
    boolean: of('flag'),
    string: of('text'),
    array: of('list').map((key) => ({ key, string: true })),
    narg: Object.fromEntries([...of('text'), ...of('list')].map((name) => [name, 1])),
    alias: Object.fromEntries([...known].map(([name, option]) => [name, [...otherNames(option)]])),
  };
}
