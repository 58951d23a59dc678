/** What changed between two recordings, each change as one line that an explanation can be found for. */
import { join } from 'node:path';
import { Cassette } from '../../src/cassette/index.js';
import { callsTold, diffCassettes, type CallDifferences, type Difference, type DifferenceClass } from '../../src/diff/index.js';

const cassettes = join(import.meta.dirname, '..', '..', 'cassettes', 'versions');

export interface Change {
  readonly class: DifferenceClass;
  /** `LLBBridge/Solve /there`: the call, and what it is about. */
  readonly call: string;
  /** Where in it: an op or a process, and the field. */
  readonly where: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly onlyDescribes: boolean;
  /** In how many calls it is. */
  readonly times: number;
}

/** The changes, and the notes of the comparison. */
export interface Step {
  readonly changes: readonly Change[];
  readonly notes: readonly string[];
}

export function stepBetween(build: string, from: string, to: string): Step {
  using before = Cassette.open(join(cassettes, `${build}-${from}.cassette`));
  using after = Cassette.open(join(cassettes, `${build}-${to}.cassette`));
  const report = diffCassettes(before, after);
  const { notes } = report;
  return { changes: callsTold(report).flatMap((call) => call.differences.map((difference) => changeOf(call, difference))), notes };
}

function changeOf({ method, about }: CallDifferences, { class: name, op, process, at, value, isAnnotation, again }: Difference): Change {
  return {
    class: name,
    call: about === undefined ? method : `${method} ${about}`,
    where: [op?.after?.name ?? op?.before?.name, process?.after ?? process?.before, at].filter((part) => part !== undefined).join(' · '),
    before: value.before,
    after: value.after,
    onlyDescribes: isAnnotation,
    times: 1 + again.length,
  };
}

/** All of a change, as explanations are matched against it. */
export function lineOf({ class: name, call, where, before, after }: Change): string {
  return `${name} | ${call} | ${where} | ${before ?? '∅'} → ${after ?? '∅'}`;
}
