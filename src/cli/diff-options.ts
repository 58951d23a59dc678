/** The options of a comparison of recordings, and what they become: for `diff`, and for `compare`, which makes the recordings. */
import { DIFFERENCE_CLASSES, diffJson, diffJunit, diffMarkdown, diffStat, showDiff, type DifferenceClass, type DiffOptions, type DiffReport } from '../diff/index.js';
import { BridgetapeError } from '../errors.js';
import { colorsFor } from './colors.js';
import { nonNegative } from './numbers.js';
import { outputWidth } from './output.js';
import { CONFIG_OPTION, IGNORE_OPTION, ignoreRule, ruleSettings } from './rules.js';
import type { Options, OptionValues } from './synopsis.js';

const CLASSES = DIFFERENCE_CLASSES.join(',');

const FORMATS = {
  stat: { kind: 'flag', about: 'Only how many differences there are of each class' },
  json: { kind: 'flag', about: 'For programs: one object (docs/diff.md)' },
  markdown: { kind: 'flag', about: 'A comment for a pull request' },
  junit: { kind: 'flag', about: "JUnit's XML: a suite for each build, a test for each class" },
} as const satisfies Options;

export const DIFF_OPTIONS = {
  only: { kind: 'list', value: 'CLASSES', about: `Compare nothing but these: ${CLASSES}` },
  without: { kind: 'list', value: 'CLASSES', about: 'Compare all but these' },
  time: { kind: 'text', value: 'SECONDS', about: 'Compare durations as well, and tell of those that are as far apart or more' },
  control: { kind: 'flag', about: "Compare Control's calls as well: what was solved, and the steps that were told of" },
  ignore: IGNORE_OPTION,
  config: CONFIG_OPTION,
  full: { kind: 'flag', about: 'Cut nothing, however long it is' },
  ...FORMATS,
} as const satisfies Options;

export interface DiffRequest {
  readonly format: DiffFormat;
  readonly classes: readonly DifferenceClass[];
  readonly options: DiffOptions;
}

/** @throws BridgetapeError `bad-argument`, `bad-config` */
export async function diffRequest(values: OptionValues<typeof DIFF_OPTIONS>): Promise<DiffRequest> {
  const format = formatOf(values);
  const time = values.time === undefined ? undefined : nonNegative('--time', values.time);
  const classes = classesOf(values, time !== undefined);
  const ignored = values.ignore.map(ignoreRule);
  const settings = (await ruleSettings(values.config)) ?? { rules: [], off: [] };
  const options = {
    rules: { ...settings, rules: [...settings.rules, ...ignored] },
    classes,
    control: values.control,
    ...(time === undefined ? {} : { timeThreshold: BigInt(Math.round(time * 1e9)) }),
  };
  return { format, classes, options };
}

export type DiffFormat = keyof typeof FORMATS | 'text';

function formatOf(values: OptionValues<typeof FORMATS> & { readonly full: boolean }): DiffFormat {
  const [format = 'text', second] = (['stat', 'json', 'markdown', 'junit'] as const).filter((name) => values[name]);
  if (second !== undefined) throw new BridgetapeError('bad-argument', `--${format} and --${second} are two outputs, and one is printed.`, 'Leave one of them out.');
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

/** A report as it was asked for. */
export function linesOf(report: DiffReport, { format, classes }: DiffRequest, full: boolean): Iterable<string> {
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
