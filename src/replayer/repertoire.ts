/** The recorded builds, and how often each was played: builds that begin alike take turns. */
import type { Canonical } from '../bridge/index.js';
import { explainMiss, type Miss } from './miss.js';
import { SOLVE } from './methods.js';
import type { RecordedBuild } from './recorded-build.js';

export class Repertoire {
  private readonly played = new Map<RecordedBuild, number>();

  constructor(private readonly builds: readonly RecordedBuild[]) {}

  /** The builds that a Solve like this began. */
  alike(solve: Canonical): readonly RecordedBuild[] {
    return this.builds.filter(({ solveRequest }) => solveRequest?.text === solve.text);
  }

  /** Of builds that begin alike those not yet played, or played less often than the others. */
  leastPlayed(alike: readonly RecordedBuild[]): readonly RecordedBuild[] {
    const times = (build: RecordedBuild): number => this.played.get(build) ?? 0;
    const fewest = Math.min(...alike.map(times));
    return alike.filter((build) => times(build) === fewest);
  }

  begins(build: RecordedBuild): void {
    this.played.set(build, (this.played.get(build) ?? 0) + 1);
  }

  /** Why no build begins like this. */
  explain(solve: Canonical): Miss {
    return explainMiss(SOLVE, solve, this.builds.flatMap((build) => build.solve ?? []), new Set());
  }
}
