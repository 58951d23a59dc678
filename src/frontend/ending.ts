/** How a frontend ended, against how the recorded one did. Pure. */
import { RETURN } from '../bridge/index.js';
import type { FrontendExit } from '../cassette/index.js';
import { plural } from '../quantity.js';

export interface Ending {
  /** Undefined: the cassette does not say. */
  readonly recorded: FrontendExit | undefined;
  readonly live: FrontendExit;
  /** The recorded call of Return, when this frontend did not make it. */
  readonly unreturned: number | undefined;
  /** The methods of the requests that the cassette could not answer. */
  readonly missed: readonly string[];
}

/** What differs, in words, a line each; none when it ended as recorded. */
export function differences({ recorded, live, unreturned, missed }: Ending): readonly string[] {
  const lines: string[] = [];
  const requests = missed.filter((path) => path !== RETURN).length;
  if (requests > 0) lines.push(`${plural(requests, 'request')} had no answer in the cassette`);
  if (requests < missed.length) lines.push(unreturned === undefined ? 'it returned, which the recorded one did not' : `it returned something else than the recorded one, in call ${unreturned}`);
  // An error that it returns after a miss is no second miss.
  else if (unreturned !== undefined) lines.push(requests > 0 ? `it did not return what the recorded one returned, in call ${unreturned}` : `it did not return; the recorded one did, in call ${unreturned}`);
  if (recorded !== undefined && wordsFor(recorded) !== wordsFor(live)) lines.push(`it ended with ${wordsFor(live)}; the recorded one ended with ${wordsFor(recorded)}`);
  return lines;
}

function wordsFor(exit: FrontendExit): string {
  return 'status' in exit ? `status ${exit.status}` : exit.signal;
}
