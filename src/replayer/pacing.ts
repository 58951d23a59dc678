/** How much of the recorded time lies between what is sent. */
import { BridgetapeError } from '../errors.js';
import { NS_PER_MS } from './clock.js';
import { methodMeant } from './method-name.js';

export interface PacingOptions {
  /** 0: each answer at once (default); 1: as recorded; 2: twice as slow. */
  readonly pace?: number;
  /** The same for single methods, by their `:path`. */
  readonly paces?: ReadonlyMap<string, number>;
  /** A recorded silence that is longer counts as so long: ms. Left out: every silence as it was. */
  readonly maxGapMs?: number;
}

/** Whether anything is to wait at all. */
export function isPaced({ pace = 0, paces = new Map<string, number>() }: PacingOptions): boolean {
  return [pace, ...paces.values()].some((factor) => factor > 0);
}

/** As ms, some thirty thousand years; a pace is far less. */
const MOST = 1e15;

/** @throws BridgetapeError `bad-argument` for what is no number from 0 on */
export function refuseTimes({ pace, paces, maxGapMs, stallMs }: PacingOptions & { readonly stallMs: number }): void {
  for (const [name, value] of [...Object.entries({ pace, maxGapMs, stallMs }), ...(paces ?? [])]) {
    if (value === undefined || (value >= 0 && value <= MOST)) continue;
    throw new BridgetapeError('bad-argument', `${name} is ${value}, which is no number from 0 on.`, 'For a time without an end: stallMs 0, and no maxGapMs.');
  }
}

/**
 * Paces by the names that people have for methods, as paces by their `:path`s.
 *
 * @param recorded the `:path`s of the cassette
 * @throws BridgetapeError `bad-argument` for a name that means no method, or several
 */
export function pacesByPath(paces: Readonly<Record<string, number>>, recorded: ReadonlySet<string>): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(paces).map(([name, pace]) => {
      const meant = methodMeant(name, recorded);
      if (meant.kind === 'none') throw new BridgetapeError('bad-argument', `A pace is given for ${meant.what}.`, meant.hint);
      return [meant.path, pace];
    }),
  );
}

export class Pacing {
  readonly pace: number;
  readonly paces: ReadonlyMap<string, number>;
  private readonly maxGap: bigint | undefined;

  constructor({ pace = 0, paces = new Map<string, number>(), maxGapMs }: PacingOptions = {}) {
    this.pace = pace;
    this.paces = paces;
    this.maxGap = maxGapMs === undefined ? undefined : BigInt(Math.round(maxGapMs * Number(NS_PER_MS)));
  }

  /** Whether any call has to wait. */
  get isOn(): boolean {
    return isPaced(this);
  }

  /** The factor for a method's calls. */
  of(path: string): number {
    return this.paces.get(path) ?? this.pace;
  }

  /**
   * How long to wait in place of a recorded silence.
   *
   * @param gap ns
   * @param factor as {@link of} has it
   */
  wait(gap: bigint, factor: number): bigint {
    const kept = this.maxGap !== undefined && gap > this.maxGap ? this.maxGap : gap;
    // Exact for a factor of 1 and to the ns otherwise.
    return factor === 1 ? kept : BigInt(Math.round(Number(kept) * factor));
  }
}
