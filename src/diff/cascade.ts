/**
 * One difference, told once: an op that changed stands in each definition that has it, in the answer that repeats the definition,
 * and its command in names, histories and errors.
 */
import { textIn } from './value.js';
import type { CallPlace, Difference, OpPlace, Pair } from './report.js';

/** Shorter texts stand in others by chance. */
const MIN_TELLING = 4;

interface Told {
  readonly difference: Difference;
  readonly again: Pair<CallPlace>[];
}

/** What has been told of one build. */
export class Cascade {
  private readonly told = new Map<string, Told>();
  /** Commands and paths of ops that changed: what stood there, and what stands there now. */
  private readonly changed: { readonly before: string; readonly after: string; readonly told: Told }[] = [];

  /** @returns the differences that are new, to be completed by `again` */
  add(method: string, calls: Pair<CallPlace>, differences: readonly Difference[]): readonly Difference[] {
    return differences.flatMap((difference) => {
      const key = keyOf(method, difference);
      const before = this.told.get(key) ?? this.cause(difference);
      if (before !== undefined) {
        if (!before.again.some((place) => isEqual(place, calls))) before.again.push(calls);
        return [];
      }
      const again: Pair<CallPlace>[] = [];
      const fresh = { ...difference, again };
      const told = { difference: fresh, again };
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
function keyOf(method: string, { class: of, at, op, process, value, isAnnotation }: Difference): string {
  const name = (place: OpPlace | undefined): string | undefined => place?.name;
  // An op is the same in each message; other fields are only in messages of their kind.
  const place = op === undefined ? [method, of, process] : [name(op.before), name(op.after)];
  return JSON.stringify([place, at, value, isAnnotation]);
}
