/** The differences of a call in the order in which they are read: class by class, and together what is about one thing. */
import { DIFFERENCE_CLASSES, type CallDifferences, type CallPlace, type Difference, type DifferenceClass, type OpPlace, type Pair } from './report.js';

/** An op, a process, or the call itself. */
export interface Subject {
  readonly op?: Pair<OpPlace>;
  readonly process?: Pair<string>;
  readonly differences: readonly Difference[];
}

export interface Chapter {
  readonly class: DifferenceClass;
  readonly subjects: readonly Subject[];
}

export function chapters(differences: readonly Difference[]): readonly Chapter[] {
  return DIFFERENCE_CLASSES.flatMap((name) => {
    const subjects = subjectsOf(differences.filter((difference) => difference.class === name));
    return subjects.length === 0 ? [] : [{ class: name, subjects }];
  });
}

function subjectsOf(differences: readonly Difference[]): readonly Subject[] {
  const subjects = new Map<string, Difference[]>();
  for (const difference of differences) {
    const { op, process } = difference;
    // Some differences name an op by one side alone.
    const named = op?.after ?? op?.before;
    const key = JSON.stringify([named?.index, named?.name, process?.before, process?.after]);
    const known = subjects.get(key);
    if (known === undefined) subjects.set(key, [difference]);
    else known.push(difference);
  }
  return Array.from(subjects.values(), (together) => {
    const { op, process } = together.find(({ op: { before, after } = {} }) => before !== undefined && after !== undefined) ?? together[0] ?? {};
    return { ...(op === undefined ? {} : { op }), ...(process === undefined ? {} : { process }), differences: together };
  });
}

/** Whether the difference is that only one recording has the whole build. */
export function isWholeBuild({ class: name, at }: Difference): boolean {
  return name === 'order' && at === 'build';
}

/** Whether the difference is that only one recording has the whole call. */
export function isWholeCall({ class: name, at }: Difference): boolean {
  return name === 'order' && at === 'call';
}

/** Whether the difference is that only one recording has the whole op. */
export function isWholeOp({ at, op }: Difference): boolean {
  return at === 'op' && op !== undefined && (op.before === undefined || op.after === undefined);
}

/** Whether the difference is that only one recording has the whole process. */
export function isWholeProcess({ at, process }: Difference): boolean {
  return at === 'process' && process !== undefined && (process.before === undefined || process.after === undefined);
}

/** Whether the values are best shown line by line. */
export function isText({ isText: isKnownText, value: { before = '', after = '' } }: Difference): boolean {
  // Of one line each they are better read side by side.
  return before.includes('\n') || after.includes('\n') || (isKnownText && (before === '') !== (after === ''));
}

/** What the names of the op tell already: `source A → source B` says of what else the identifier was. */
export function isInNames({ op, value }: Difference): boolean {
  if (op?.before === undefined || op.after === undefined || value.before === undefined || value.after === undefined) return false;
  return op.before.name !== op.after.name && saysAll(op.before.name, value.before) && saysAll(op.after.name, value.after);
}

/** A long name is cut at its end. */
function saysAll(name: string, value: string): boolean {
  const plain = unquoted(value);
  if (name.endsWith(` ${value}`) || name.endsWith(` ${plain}`)) return true;
  return name.endsWith('…') && plain.startsWith(name.slice(name.indexOf(' ') + 1, -1));
}

/** A text that stands in quotes as a value, as it stands in a name. */
function unquoted(value: string): string {
  const [, inner] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value) ?? [];
  return inner === undefined ? value : inner.replace(/\\(["\\])/g, '$1');
}

/** The calls that all of the differences are in as well; undefined when they are not the same ones. */
export function commonAgain(differences: readonly Difference[]): readonly Pair<CallPlace>[] | undefined {
  const [first, ...others] = differences.map(({ again }) => again);
  if (first === undefined) return [];
  const key = (again: readonly Pair<CallPlace>[]): string => again.map(({ before, after }) => `${before?.call ?? ''}:${after?.call ?? ''}`).join();
  return others.every((again) => key(again) === key(first)) ? first : undefined;
}

/** The call with those of its differences for which it is so; undefined when there are none. */
export function restricted(call: CallDifferences, to: (difference: Difference) => boolean): CallDifferences | undefined {
  const differences = call.differences.filter(to);
  return differences.length === 0 ? undefined : { ...call, differences };
}
