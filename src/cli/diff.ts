import { Cassette } from '../cassette/index.js';
import { diffCassettes, DIFFERENCE_CLASSES, diffJson, diffJunit, diffMarkdown, diffStat, isSame, showDiff, type DifferenceClass, type DiffReport } from '../diff/index.js';
import { BridgetapeError } from '../errors.js';
import { colorsFor } from './colors.js';
import { defineCommand } from './command.js';
import { nonNegative } from './numbers.js';
import { outputWidth, print } from './output.js';
import { CONFIG_OPTION, IGNORE_OPTION, ignoreRule, ruleSettings } from './rules.js';
import type { Options, OptionValues } from './synopsis.js';
import { EXIT } from './terminal.js';

const CLASSES = DIFFERENCE_CLASSES.join(',');

const FORMATS = {
  stat: { kind: 'flag', about: 'Only how many differences there are of each class' },
  json: { kind: 'flag', about: 'For programs: one object (docs/diff.md)' },
  markdown: { kind: 'flag', about: 'A comment for a pull request' },
  junit: { kind: 'flag', about: "JUnit's XML: a suite for each build, a test for each class" },
} as const satisfies Options;

const OPTIONS = {
  only: { kind: 'list', value: 'CLASSES', about: `Compare nothing but these: ${CLASSES}` },
  without: { kind: 'list', value: 'CLASSES', about: 'Compare all but these' },
  time: { kind: 'text', value: 'SECONDS', about: 'Compare durations as well, and tell of those that are as far apart or more' },
  control: { kind: 'flag', about: "Compare Control's calls as well: what was solved, and the steps that were told of" },
  ignore: IGNORE_OPTION,
  config: CONFIG_OPTION,
  full: { kind: 'flag', about: 'Cut nothing, however long it is' },
  ...FORMATS,
} as const satisfies Options;

export const diffCommand = defineCommand(
  {
    name: 'diff',
    about: "Tells what the recording B has otherwise than A, in BuildKit's terms, and nothing that only differs from run to run.",
    operands: {
      a: { required: true, about: 'The first cassette' },
      b: { required: true, about: 'The second' },
    },
    options: OPTIONS,
    runsCommand: false,
    examples: [
      { line: 'bridgetape diff old.cassette new.cassette' },
      { line: 'bridgetape diff old.cassette new.cassette --only requests,exec --stat' },
      { line: 'bridgetape diff old.cassette new.cassette --ignore env:BUILD_ID --markdown >comment.md' },
    ],
    notes: ['Exit status: 0 when they are the same, 1 when they differ, 2 when they could not be compared.'],
  },
  async ({ a, b, config, ...values }) => {
    const format = formatOf(values);
    const time = values.time === undefined ? undefined : nonNegative('--time', values.time);
    const classes = classesOf(values, time !== undefined);
    const ignored = values.ignore.map(ignoreRule);
    const settings = (await ruleSettings(config)) ?? { rules: [], off: [] };
    using before = Cassette.open(a);
    using after = Cassette.open(b);
    const report = diffCassettes(before, after, {
      rules: { ...settings, rules: [...settings.rules, ...ignored] },
      classes,
      control: values.control,
      ...(time === undefined ? {} : { timeThreshold: BigInt(Math.round(time * 1e9)) }),
    });
    // What is missing from the middle of a recording would be told as a difference; that it is missing is known once all was read.
    for (const cassette of [before, after]) refuseDamaged(cassette);
    return await print(linesOf(report, format, classes, values.full), isSame(report) ? EXIT.ok : EXIT.different);
  },
);

type Format = keyof typeof FORMATS | 'text';

function formatOf(values: OptionValues<typeof FORMATS> & { readonly full: boolean }): Format {
  const [format = 'text', second] = (['stat', 'json', 'markdown', 'junit'] as const).filter((name) => values[name]);
  if (second !== undefined) throw new BridgetapeError('bad-argument', `--${format} and --${second} are two outputs, and diff prints one.`, 'Leave one of them out, or run it twice.');
  if (values.full && (format === 'json' || format === 'stat')) throw new BridgetapeError('bad-argument', `--full does not go with --${format}.`, format === 'json' ? 'Leave --full out: JSON has everything.' : 'Leave one of them out.');
  return format;
}

/** All but time, unless told. */
function classesOf({ only, without }: { readonly only: readonly string[]; readonly without: readonly string[] }, withTime: boolean): readonly DifferenceClass[] {
  const chosen = only.length === 0 ? DIFFERENCE_CLASSES.filter((name) => name !== 'time') : named('--only', only);
  const left = named('--without', without);
  const classes = DIFFERENCE_CLASSES.filter((name) => (chosen.includes(name) || (name === 'time' && withTime)) && !left.includes(name));
  if (classes.length === 0) throw new BridgetapeError('bad-argument', 'With these --only and --without nothing is left to compare.', `The classes are ${DIFFERENCE_CLASSES.join(', ')}.`);
  return classes;
}

function named(flag: string, lists: readonly string[]): readonly DifferenceClass[] {
  return lists.flatMap((list) => list.split(',')).map((text) => {
    const name = DIFFERENCE_CLASSES.find((known) => known === text.trim());
    if (name === undefined) throw new BridgetapeError('bad-argument', `${flag} got "${text.trim()}", which is no class of differences.`, `The classes are ${DIFFERENCE_CLASSES.join(', ')}.`);
    return name;
  });
}

function refuseDamaged({ path, state }: Cassette): void {
  if (state !== 'damaged') return;
  throw new BridgetapeError('cassette-damaged', `${path} is damaged, so that nobody can tell what differs from what was lost.`, `bridgetape verify ${path} says where. Restore it from a copy, or record it again.`);
}

function linesOf(report: DiffReport, format: Format, classes: readonly DifferenceClass[], full: boolean): Iterable<string> {
  const painter = colorsFor(process.stdout);
  switch (format) {
    case 'text':
      return showDiff(report, { width: outputWidth(), painter, full });
    case 'stat':
      return diffStat(report, classes, painter);
    case 'json':
      return diffJson(report);
    case 'markdown':
      return diffMarkdown(report, { full });
    case 'junit':
      return diffJunit(report, classes, { full });
  }
}
