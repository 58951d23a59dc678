/** What two recordings differ in, as values: made by comparing them, shown by whoever lays them out. */
import type { Nanoseconds } from '../cassette/index.js';

/** What a difference is about. Each can be left out of a comparison. */
export const DIFFERENCE_CLASSES = ['requests', 'responses', 'errors', 'exec', 'environment', 'order', 'time'] as const;
export type DifferenceClass = (typeof DIFFERENCE_CLASSES)[number];

/** `before` is the first recording, `after` the second. What only one of them has is left out on the other side. */
export interface Pair<T> {
  readonly before?: T;
  readonly after?: T;
}

/** A call of one recording. */
export interface CallPlace {
  /** Its number in its cassette. */
  readonly call: number;
  readonly start: Nanoseconds;
}

/** An op of a definition, by what a reader knows it by. */
export interface OpPlace {
  /** Its place in the graph, leaves first. */
  readonly index: number;
  /** `RUN make`, `source local://context`. */
  readonly name: string;
  /** Where it was written, when the request says so: lines count from 1. */
  readonly source?: { readonly file: string; readonly line: number; readonly endLine: number };
}

/** One thing that differs. */
export interface Difference {
  readonly class: DifferenceClass;
  /**
   * Where: a field's path within its message (`exec.meta.args[2]` of an op, `FrontendOpt["target"]`, `status.message`,
   * `stdout`), or what of the whole call it is (`call`, `order`, `duration`).
   */
  readonly at: string;
  /** The op in which it is. */
  readonly op?: Pair<OpPlace>;
  /** Other ops of the same message that differ in the same. */
  readonly otherOps: readonly Pair<OpPlace>[];
  /** The process in which it is, by its command. */
  readonly process?: Pair<string>;
  /** What stood there and what stands there now: a value as a reader would write it; left out where there is none. */
  readonly value: Pair<string>;
  /** The values are texts of their own (a file, a script, terminal output), best shown line by line. */
  readonly isText: boolean;
  /** It describes a request and decides nothing of what comes of it: source maps, names on the screen. */
  readonly isAnnotation: boolean;
  /** Other pairs of calls in which the same differs. */
  readonly again: readonly Pair<CallPlace>[];
}

/** What differs in one call, or in a pair of calls that stand for each other. */
export interface CallDifferences {
  /** `LLBBridge/Solve`. */
  readonly method: string;
  /** Numbers of the calls; both, unless the call is only in one recording. */
  readonly calls: Pair<CallPlace>;
  /** What the call is about, when a word can say it: a file, an image, a command. */
  readonly about?: string;
  readonly differences: readonly Difference[];
}

/** Two builds that stand for each other, or one that has no counterpart. */
export interface BuildDifferences {
  /** What was built: frontend and options that tell it from others. */
  readonly name: string;
  /** Position among the builds of its recording, from 1. */
  readonly builds: Pair<number>;
  /** In the order of the calls; differences of one call together. */
  readonly calls: readonly CallDifferences[];
}

/** One of the two recordings. */
export interface Recording {
  readonly path: string;
  readonly startedAt: Date;
  readonly buildkitVersion?: string;
  readonly command?: readonly string[];
  readonly builds: number;
  readonly calls: number;
  readonly duration: Nanoseconds;
  /** Not whole: what a comparison says of its end may be due to that. */
  readonly isWhole: boolean;
}

export interface DiffReport {
  readonly before: Recording;
  readonly after: Recording;
  /** Of builds that are alike nothing is said. */
  readonly builds: readonly BuildDifferences[];
  /** Outside of builds: workers, versions, how a frontend was run. */
  readonly environment: readonly CallDifferences[];
  /** How many differences there are of each class; those that were left out are not counted. */
  readonly counts: Readonly<Record<DifferenceClass, number>>;
  readonly compared: { readonly builds: number; readonly calls: number; readonly messages: number };
  /** True things that are no differences, a sentence each: a method spelled in two ways, a body that was not kept. */
  readonly notes: readonly string[];
}

/** All calls that something is told of. */
export function callsTold({ environment, builds }: Pick<DiffReport, 'environment' | 'builds'>): readonly CallDifferences[] {
  return [...environment, ...builds.flatMap(({ calls }) => calls)];
}

/** How many differences there are of each class. */
export function countsOf(calls: readonly CallDifferences[]): DiffReport['counts'] {
  const counts = Object.fromEntries(DIFFERENCE_CLASSES.map((name) => [name, 0])) as Record<DifferenceClass, number>;
  for (const { differences } of calls) for (const { class: name } of differences) counts[name] += 1;
  return counts;
}

export function isSame({ counts }: DiffReport): boolean {
  return Object.values(counts).every((count) => count === 0);
}
