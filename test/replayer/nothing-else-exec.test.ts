/**
 * The proof of "and nothing else" for processes: a client that changes one field of what it sends on ExecProcess, found from
 * proto/, misses; one that changes nothing has its process.
 */
import * as grpc from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { control, FRONTEND } from '../bridge/build.js';
import { Builder, casesOf, isAnnotated, isCovered, known, type Case } from '../bridge/changed-fields.js';
import { Stage, type LiveCall } from './stage.js';
import { Process, solveRequest, Tape } from './tape.js';

const EXEC_MESSAGE = `${FRONTEND}.ExecMessage`;
/** Members of the oneof that only the server sends. */
const OF_THE_SERVER: ReadonlySet<string> = new Set(['Started', 'Exit', 'Done']);
/** As the builder makes them up. */
const process = new Process('ProcessID 0', 'ContainerID 0');

const inputOf = ({ steps: [first] }: Case): string => first?.field.name ?? '';
const built = (it: Case, change: Case['change'] | undefined): Uint8Array => new Builder(it.steps, change).message(known(EXEC_MESSAGE), 0);

const cases = casesOf(EXEC_MESSAGE).filter((it) => it.steps.length > 1 && it.change === 'another value' && !OF_THE_SERVER.has(inputOf(it)) && !isAnnotated(it) && !isCovered(it));

/** A process that ends when it has had what the case is about, and a client that sends it, as recorded or changed. */
function run(it: Case, change: Case['change'] | undefined): { readonly live: LiveCall; readonly stage: Stage } {
  const start = inputOf(it) === 'Init' ? it : cases.find((other) => inputOf(other) === 'Init');
  if (start === undefined) throw new Error('no process can be started');
  const isStart = start === it;
  const tape = new Tape();
  const solve = tape.solve();
  const stream = tape.bridge('ExecProcess').sends(built(start, undefined)).headed().answers(process.started);
  if (!isStart) stream.sends(built(it, undefined));
  stream.answers(process.exit()).answers(process.done).ends();
  solve.headed().answers(new Uint8Array()).ends();
  const stage = new Stage(tape.script, { stallMs: 2000 });
  stage.open(control('Solve')).asks(solveRequest({}));
  const live = stage.bridge('ExecProcess');
  live.says(built(start, isStart ? change : undefined));
  if (!isStart) live.says(built(it, change));
  stage.clock.pass(2500);
  return { live, stage };
}

/** Where a process that was started otherwise differs: `Init.Meta.args[0]`. */
const placeOf = (message: string): string => /differs in (\S+): recorded .+, got .+$/.exec(message)?.[1]?.replace(/\[\d+\]/g, '') ?? '';

it.each(cases.map((it) => [it.path, it] as const))('a change of %s is a miss that tells where, and both values', (path, it) => {
  const { live, stage } = run(it, it.change);
  const message = live.status?.message ?? '';
  expect([live.status?.code, stage.misses.length > 0]).toEqual([grpc.status.FAILED_PRECONDITION, true]);
  if (path.startsWith('Init.')) expect(placeOf(message)).toBe(path);
  // A stream that is not ended differs from one that is by what does not come.
  else if (path === 'File.EOF') expect(message).toMatch(/goes on with byte 6 of fd 1 of the process "args 0", EOF, .* nothing came$/);
  else expect(message).toMatch(/^bridgetape: on LLBBridge\/ExecProcess \(call 2 of the cassette\), (?:byte \d+ of fd \d+|resize 1|signal 1) of the process "args 0" differs: recorded (.+), got (?!\1$).+$/);
  const ended = live.words.filter((word) => word.includes(' exit '));
  expect(ended.filter((word) => !word.includes('FAILED_PRECONDITION'))).toEqual([]);

  const same = run(it, undefined);
  expect([same.live.words, same.live.status?.code, same.stage.misses]).toEqual([['0 started', '0 exit 0', '0 done'], grpc.status.OK, []]);
});
