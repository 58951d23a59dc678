/**
 * `npm run soak`: the inputs of test/compliance/fuzz.test.ts, many more of them, and from another seed each time.
 *
 *   npm run soak -- [INPUTS [SEED]]     1,000,000 inputs from a seed of the day, unless said otherwise
 *
 * Prints how many inputs there were, how their connections ended, and how the heap went; ends with status 1 and the
 * smallest input that shows it when something does not hold. After it come replays.ts and noise-floor.ts.
 */
import fc from 'fast-check';
import { errorCodeName } from '../../src/wire/index.js';
import { anyInput, type Input } from '../compliance/fuzz-input.js';
import { holds } from '../compliance/fuzz-rig.js';
import { soakNoiseFloor } from './noise-floor.js';
import { soakReplays } from './replays.js';

const [inputs = 1_000_000, seed = Math.floor(Date.now() / 86_400_000)] = process.argv.slice(2).map(Number);
/** So many inputs come from one seed. */
const ROUND = 5_000;
/** The heap may be so much larger at the end than after a tenth of the inputs. */
const HEAP_GROWTH = 64 * 1024 * 1024;

const endings = new Map<string, number>();
let done = 0;
let requests = 0;
let bytes = 0;
let settled = 0;

/** One line for each step, for a test to be made of. */
function told(input: Input): string {
  const lines = input.steps.map((step) => (step.kind === 'send' ? `send ${Buffer.from(step.bytes).toString('hex')}` : JSON.stringify(step)));
  return [`${input.bounds} bounds, ${input.application}, chunks of ${input.cuts.join(', ')}`, ...lines].join('\n  ');
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function round(number: number): boolean {
  const property = fc.property(anyInput, (input) => {
    const run = holds(input);
    const ending = run.ending.startsWith('unknown') ? 'an unknown code of the client' : run.ending;
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
    requests += run.requests;
    bytes += input.steps.reduce((sum, step) => sum + (step.kind === 'send' ? step.bytes.length : 0), 0);
    done += 1;
  });
  const result = fc.check(property, { seed: seed * 1_000_000 + number, numRuns: Math.min(ROUND, inputs - number * ROUND) });
  if (!result.failed) return true;
  console.error(`does not hold, at seed ${result.seed}, path ${result.counterexamplePath}:`);
  console.error(result.errorInstance instanceof Error ? (result.errorInstance.stack ?? result.errorInstance.message) : result.errorInstance);
  if (result.counterexample !== null) console.error(`the smallest input that shows it: ${told(result.counterexample[0])}`);
  return false;
}

const started = performance.now();
let holding = true;
for (let number = 0; holding && number * ROUND < inputs; number += 1) {
  holding = round(number);
  if (settled === 0 && done >= inputs / 10) settled = heap();
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${inputs}`);
}
const seconds = (performance.now() - started) / 1000;
const grown = heap() - settled;
console.log(`${done} inputs of ${(bytes / 2 ** 20).toFixed(0)} MiB from seed ${seed}, each in two ways of chunks, in ${seconds.toFixed(0)} s: ${holding ? 'nothing found' : 'something found'}`);
console.log(`  ${requests} requests reached the application; connections ended with`);
for (const [ending, times] of [...endings].sort((a, b) => b[1] - a[1])) console.log(`  ${String(times).padStart(8)}  ${ending}`);
const never = Array.from({ length: 14 }, (_, code) => errorCodeName(code)).filter((name) => !endings.has(name));
console.log(`  never: ${never.join(', ')}`);
console.log(`  heap after a tenth of it ${(settled / 2 ** 20).toFixed(0)} MiB, at its end ${((settled + grown) / 2 ** 20).toFixed(0)} MiB`);
if (grown > HEAP_GROWTH) console.error(`the heap grew by ${grown} bytes`);
process.exitCode = holding && grown <= HEAP_GROWTH && soakReplays() && (await soakNoiseFloor()) ? 0 : 1;
