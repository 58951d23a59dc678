/**
 * One difference, told once: an op that changed stands in each definition that has it, in the answer that repeats the definition,
 * and its command in names, histories and errors.
 */
import { textIn } from './value.js';
import type { CallPlace, Difference, OpPlace, Pair } from './report.js';

/** Shorter texts stand in others by chance. */
const MIN_TELLING = 4;

interface Told {
  readonly calls: Pair<CallPlace>;
  readonly again: Pair<CallPlace>[];
}

/** What has been told of one build. */
export class Cascade {
  private readonly told = new Map<string, Told>();
  /** Commands and paths of ops that changed: what stood there, and what stands there now. */
  private readonly changed: { readonly before: string; readonly after: string; readonly told: Told }[] = [];

  /** @returns the differences that are new, to be completed by `again` */
  add(method: string, calls: Pair<CallPlace>, differences: readonly Difference[]): readonly Difference[] {
    return gathered(differences).flatMap((difference) => {
      const key = keyOf(method, difference);
      const before = this.told.get(key) ?? this.cause(difference);
      if (before !== undefined) {
        // What is told of one pair of calls comes together.
        if (!isEqual(before.again.at(-1) ?? before.calls, calls) && !isEqual(before.calls, calls)) before.again.push(calls);
        return [];
      }
      const again: Pair<CallPlace>[] = [];
      const fresh = { ...difference, again };
      const told = { calls, again };
      this.told.set(key, told);
      this.learn(difference, told);
      return [fresh];
    });
  }

  private learn({ op, value, isAnnotation }: Difference, told: Told): void {
    if (op === undefined || isAnnotation || value.before === undefined || value.after === undefined) return;
    const [before, after] = [textIn(value.before) ?? value.before, textIn(value.after) ?? value.after];
    if (before.length >= MIN_TELLING && after.length >= MIN_TELLING) this.changed.push({ before, after, told });
  }

  /** The change of an op by which all of a difference is explained: the same text with the op's old value has become the one with its new value. */
  private cause({ value, isAnnotation, op, class: of }: Difference): Told | undefined {
    const { before, after } = value;
    if (before === undefined || after === undefined || (op !== undefined && !isAnnotation && of === 'requests')) return undefined;
    return this.changed.find((change) => before.includes(change.before) && before.replaceAll(change.before, change.after) === after)?.told;
  }
}

function isEqual(one: Pair<CallPlace>, other: Pair<CallPlace>): boolean {
  return one.before?.call === other.before?.call && one.after?.call === other.after?.call;
}

/** Equal for differences that are the same one. */
function keyOf(method: string, { class: of, at, op, process, value, isAnnotation, isText }: Difference): string {
  // A file is the same wherever it stands.
  if (isText && process === undefined) return JSON.stringify(value);
  const name = (place: OpPlace | undefined): string | undefined => place?.name;
  // An op is the same in each message, and so is what describes it; other fields are only in messages of their kind.
  const place = op !== undefined ? [name(op.before), name(op.after)] : isAnnotation ? [] : [method, of, process];
  return JSON.stringify([place, isAnnotation ? at.replace(DEFINITION, '') : at, value]);
}

/** Where in a message the definition stands that is described. */
const DEFINITION = /^.*?(?=Source\.|metadata\.)/;

/** The same field of several ops that has changed in the same way is one difference. */
function gathered(differences: readonly Difference[]): readonly Difference[] {
  const first = new Map<string, { readonly difference: Difference; readonly others: Pair<OpPlace>[] }>();
  for (const difference of differences) {
    const { class: of, at, op, value, isAnnotation } = difference;
    // What an op does stands in its name: such a change is that op's own.
    const isShared = op?.before !== undefined && op.before.name === op.after?.name;
    const key = isShared ? JSON.stringify([of, at, value, isAnnotation]) : first.size.toString();
    const known = first.get(key);
    if (known === undefined) first.set(key, { difference, others: [] });
    else if (op !== undefined) known.others.push(op);
  }
  return Array.from(first.values(), ({ difference, others }) => (others.length === 0 ? difference : { ...difference, otherOps: others }));
}
