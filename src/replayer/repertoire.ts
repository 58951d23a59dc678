/** The recorded builds, and how often each was played: builds that begin alike take turns. */
import { type Canonical, type Rules, SOLVE } from '../bridge/index.js';
import { explainMiss, type Miss } from './miss.js';
import type { Origin } from './origin.js';
import type { RecordedBuild } from './recorded-build.js';

export class Repertoire {
  private readonly played = new Map<RecordedBuild, number>();
  private readonly ended = new Map<RecordedBuild, number>();

  /** @param origin the cassette of the builds, for what is said of one that is not among them */
  constructor(
    private readonly builds: readonly RecordedBuild[],
    readonly rules: Rules,
    private readonly origin?: Origin,
  ) {}

  /** The builds that a Solve like this began. */
  alike(solve: Canonical): readonly RecordedBuild[] {
    return this.builds.filter(({ solveRequest }) => solveRequest?.text === solve.text);
  }

  /** The builds that a frontend can be in the middle of: those of frontends on stdio, else those whose client was one. */
  get ofFrontends(): readonly RecordedBuild[] {
    const onStdio = this.builds.filter(({ ref }) => ref === undefined);
    return onStdio.length > 0 ? onStdio : this.builds.filter((build) => build.hasBridgeCalls);
  }

  /** Those that were played less often before the others. */
  inTurn(builds: readonly RecordedBuild[]): readonly RecordedBuild[] {
    return builds.toSorted((a, b) => (this.played.get(a) ?? 0) - (this.played.get(b) ?? 0));
  }

  /** Those that clients have returned from less often before the others. */
  inTurnToEnd(builds: readonly RecordedBuild[]): readonly RecordedBuild[] {
    return builds.toSorted((a, b) => this.endings(a) - this.endings(b));
  }

  /** A live build is taken for this one. */
  begins(build: RecordedBuild): void {
    count(this.played, build, 1);
  }

  /** It turned out to be another one. */
  leaves(build: RecordedBuild): void {
    count(this.played, build, -1);
  }

  /** Its client has returned. */
  ends(build: RecordedBuild): void {
    count(this.ended, build, 1);
  }

  /** How often clients have returned from it. */
  endings(build: RecordedBuild): number {
    return this.ended.get(build) ?? 0;
  }

  /** Why no build begins like this. */
  explain(solve: Canonical, payload: Uint8Array): Miss {
    const candidates = this.builds.flatMap(({ solve: call }) => (call === undefined ? [] : [{ call, isUsed: false }]));
    return explainMiss({ path: SOLVE, live: solve, payload, candidates, rules: this.rules, origin: this.origin });
  }
}

function count(counts: Map<RecordedBuild, number>, build: RecordedBuild, change: number): void {
  counts.set(build, (counts.get(build) ?? 0) + change);
}
