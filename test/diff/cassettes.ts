/** Recordings of this repository as something to be compared, and with a part of them changed. */
import { join } from 'node:path';
import { Cassette, type CassetteEvent } from '../../src/cassette/index.js';
import { callsTold, diffCassettes, type ComparedCassette, type Difference, type DiffOptions, type DiffReport } from '../../src/diff/index.js';

export const cassettePath = (name: string): string => join(import.meta.dirname, '..', '..', 'cassettes', `${name}.cassette`);

/** A recording that is held whole. */
export class Held {
  readonly events: readonly CassetteEvent[];
  private readonly facts: Omit<ComparedCassette, 'events'>;

  constructor(name: string) {
    using cassette = Cassette.open(cassettePath(name));
    this.events = [...cassette.events()];
    const { path, header, state, duration } = cassette;
    this.facts = { path, header, state, duration };
  }

  /** @param events in place of its own */
  as(events = this.events): ComparedCassette {
    return { ...this.facts, events: () => events[Symbol.iterator]() };
  }

  /** This recording against the same one with other events in some places. */
  against(changes: ReadonlyMap<number, CassetteEvent>, options: DiffOptions = {}): DiffReport {
    return diffCassettes(this.as(), this.as(this.events.map((event, at) => changes.get(at) ?? event)), options);
  }
}

export interface Told extends Difference {
  readonly method: string;
}

/** All differences of a report, with the methods of their calls. */
export function toldIn(report: DiffReport): readonly Told[] {
  return callsTold(report).flatMap(({ method, differences }) => differences.map((difference) => ({ method, ...difference })));
}
