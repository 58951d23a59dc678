/** The faults of a replay: which call each one happens to, and how often it has. */
import type { AcceptTransport, CallHandler, TransportCall } from './call.js';
import { NS_PER_MS, type Clock } from './clock.js';
import type { Cues } from './cues.js';
import { CutPassage } from './cut-passage.js';
import type { Fault } from './fault.js';
import { faultPath } from './fault-method.js';
import { formatFault } from './fault-spec.js';
import { LatePassage } from './late-passage.js';
import { SlowPassage } from './slow-passage.js';

/** A fault, and what has come of it so far. */
export interface FaultTally {
  readonly spec: string;
  /** Calls of its method. */
  readonly calls: number;
  /** Calls that it has happened to. */
  readonly fired: number;
}

interface Row {
  readonly fault: Fault;
  readonly spec: string;
  /** Undefined: every method. */
  readonly path: string | undefined;
  calls: number;
  fired: number;
}

export class FaultPlan {
  private readonly rows: readonly Row[];
  /** Calls whose client is kept waiting. */
  private held = 0;

  /**
   * @param recorded the `:path`s of the cassette
   * @param crashed told of a bug that was met when a fault was due
   * @throws BridgetapeError `bad-argument` for a method that nobody knows
   */
  constructor(
    faults: readonly Fault[],
    recorded: Iterable<string>,
    private readonly clock: Clock,
    private readonly crashed: (error: unknown, path: string) => void,
  ) {
    const paths = [...recorded];
    this.rows = faults.map((fault) => ({ fault, spec: formatFault(fault), path: faultPath(fault, paths), calls: 0, fired: 0 }));
  }

  get tallies(): readonly FaultTally[] {
    return this.rows.map(({ spec, calls, fired }) => ({ spec, calls, fired }));
  }

  get hasFired(): boolean {
    return this.rows.some(({ fired }) => fired > 0);
  }

  /** Whether a client is being kept waiting. */
  isHolding = (): boolean => this.held > 0;

  /** Whether clients have to be kept on small windows. */
  get readsSlowly(): boolean {
    return this.rows.some(({ fault }) => fault.effect.kind === 'slow-read');
  }

  /** Puts the faults before who plays the calls; of several at one call, the first one given is next to the client. */
  before(accept: AcceptTransport): AcceptTransport {
    return (call) => {
      const due = this.rows.filter((row) => isDue(row, call.path));
      return due.reduceRight<AcceptTransport>((play, row) => (outer) => this.open(row, outer, play), accept)(call);
    };
  }

  private open(row: Row, call: TransportCall, play: AcceptTransport): CallHandler {
    const { effect, point } = row.fault;
    const cues = this.cuesOf(row);
    switch (effect.kind) {
      case 'delay':
      case 'delay-each':
        return new LatePassage(call, effect, point, cues).open(play);
      case 'slow-read':
        return new SlowPassage(call, effect.bytesPerSecond, cues).open(play);
      default:
        return new CutPassage(call, effect, point, cues).open(play);
    }
  }

  private cuesOf(row: Row): Cues {
    const { clock } = this;
    let hasFired = false;
    return {
      spec: row.spec,
      now: () => clock.now(),
      after: (ms, path, run) =>
        clock.at(clock.now() + BigInt(Math.round(ms * Number(NS_PER_MS))), () => {
          try {
            run();
          } catch (error) {
            this.crashed(error, path);
          }
        }),
      fired: () => {
        if (!hasFired) row.fired += 1;
        hasFired = true;
      },
      hold: () => {
        this.held += 1;
        return () => {
          this.held -= 1;
        };
      },
    };
  }
}

function isDue(row: Row, path: string): boolean {
  if (row.path !== undefined && row.path !== path) return false;
  row.calls += 1;
  return row.fault.nth === undefined || row.fault.nth === row.calls;
}
