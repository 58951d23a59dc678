/**
 * Any recording, any client that does what was recorded, in any order that the recording's own dependencies allow:
 * every call gets exactly its recorded answers, and nobody waits for ever.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseExec } from '../../src/bridge/index.js';
import type { CallEvent } from '../../src/cassette/index.js';
import { control, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, readFile, releaseContainer, solveRequest, statusRequest, Tape, type TapedCall } from './tape.js';

const NOTHING = new Uint8Array();
const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Something that crosses, on one of the lanes of a recording; within a lane the order is fixed. */
type Step = (call: TapedCall) => unknown;

interface Lane {
  readonly method: string;
  readonly steps: readonly Step[];
}

const unaryLane = (method: string, request: Uint8Array, answer: string): Lane => ({
  method,
  steps: [(call) => call.sends(request), (call) => call.closes(), (call) => call.headed(), (call) => call.answers(bytes(answer)), (call) => call.ends()],
});

const talkLane = (name: number): fc.Arbitrary<Lane> =>
  fc.array(fc.boolean(), { maxLength: 8 }).map((turns) => ({
    method: 'Talk',
    steps: [
      (call): unknown => call.sends(bytes(`hello ${name}`)),
      (call): unknown => call.headed(),
      ...turns.map((isClient, turn): Step => (call) => (isClient ? call.sends(bytes(`${name} says ${turn}`)) : call.answers(bytes(`${name} hears ${turn}`)))),
      (call): unknown => call.closes(),
      (call): unknown => call.ends(name % 3, name % 3 === 0 ? [] : [['grpc-message', `ends ${name}`]]),
    ],
  }));

/** One exec stream with several processes, whose turns are interleaved. */
const execLane: fc.Arbitrary<Lane> = fc
  .array(fc.array(fc.record({ isClient: fc.boolean(), text: fc.string({ minLength: 1, maxLength: 6 }) }), { maxLength: 6 }), { minLength: 1, maxLength: 3 })
  .chain((turns) => {
    const lanes = turns.map((steps, index): Step[] => {
      const process = new Process(`${id('c')}:${index}`, id('c'));
      return [
        (call) => call.sends(process.init(['run', String(index % 2)])),
        (call) => call.answers(process.started),
        ...steps.map(({ isClient, text }): Step => (call) => (isClient ? call.sends(process.file(0, `${index}${text}`)) : call.answers(process.file(1, `${index}${text}`)))),
        (call) => call.sends(process.eof(0)),
        (call) => call.answers(process.exit(index)),
        (call) => call.answers(process.done),
      ];
    });
    return interleaved(lanes).map((steps) => ({ method: 'ExecProcess', steps: [(call: TapedCall): unknown => call.headed(), ...steps, (call: TapedCall): unknown => call.cancels()] }));
  });

/** The items of several lists in any order that keeps the order of each. */
function interleaved<T>(lists: readonly (readonly T[])[]): fc.Arbitrary<T[]> {
  const turns = lists.flatMap((list, index) => list.map(() => index));
  return fc.shuffledSubarray(turns, { minLength: turns.length }).map((order) => {
    const at = lists.map(() => 0);
    return order.flatMap((index) => lists[index]?.[at[index]!++] ?? []);
  });
}

const lanes: fc.Arbitrary<Lane[]> = fc
  .tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 }), fc.array(execLane, { maxLength: 1 }))
  .chain(([reads, talks, execs]) =>
    fc.tuple(...Array.from({ length: talks }, (_, index) => talkLane(index))).map((talking) => [
      ...Array.from({ length: reads }, (_, index) => unaryLane('ReadFile', readFile(`/${index % 3}`), `read ${index}`)),
      unaryLane('NewContainer', newContainer(id('c')), 'made'),
      unaryLane('ReleaseContainer', releaseContainer(id('c')), 'released'),
      ...talking,
      ...execs,
    ]),
  );

interface Recording {
  readonly tape: Tape;
  /** Bridge calls, in the order of their first events. */
  readonly calls: readonly TapedCall[];
  readonly status: TapedCall;
}

const recording: fc.Arbitrary<Recording> = lanes
  .chain((all) => interleaved(all.map((lane) => lane.steps.map((step) => ({ lane, step })))))
  .map((order) => {
    const tape = new Tape();
    const solve = tape.solve();
    const status = tape.status().headed();
    const calls = new Map<Lane, TapedCall>();
    order.forEach(({ lane, step }, index) => {
      tape.after(7);
      const call = calls.get(lane) ?? tape.bridge(lane.method);
      calls.set(lane, call);
      step(call);
      if (index % 5 === 0) status.answers(bytes(`step ${index}`));
    });
    tape.unary('Return', NOTHING, NOTHING);
    status.ends();
    solve.headed().answers(bytes('built')).ends();
    return { tape, calls: [...calls.values()], status };
  });

const isClient = ({ kind }: CallEvent): boolean => kind === 'client-message' || kind === 'client-half-close' || kind === 'reset';

/** A client of one recorded call: it does each thing when what came before it on the call has come again. */
class Actor {
  private readonly events: readonly CallEvent[];
  private at = 0;
  private live: LiveCall | undefined;

  constructor(
    private readonly recorded: TapedCall,
    private readonly stage: Stage,
    private readonly bridge: (method: string) => LiveCall,
  ) {
    this.events = recorded.events.slice(1);
  }

  get call(): LiveCall | undefined {
    return this.live;
  }

  get isDone(): boolean {
    return this.at >= this.events.length;
  }

  /** Whether its next event can happen: an event of the client, or one of the server that has come. */
  get canGo(): boolean {
    const event = this.events[this.at];
    if (event === undefined) return false;
    return isClient(event) || this.hasCome(event);
  }

  go(): void {
    const event = this.events[this.at];
    this.at += 1;
    if (event === undefined || !isClient(event)) return;
    this.live ??= this.bridge(this.recorded.path.slice(this.recorded.path.lastIndexOf('/') + 1));
    if (event.kind === 'client-message') this.live.says(event.data ?? NOTHING);
    else if (event.kind === 'client-half-close') this.live.closes();
    else this.live.cancels();
  }

  private hasCome(event: CallEvent): boolean {
    const before = this.events.slice(0, this.at + 1).filter(({ kind }) => kind === event.kind).length;
    if (event.kind === 'server-header') return this.live === undefined || this.live.responseHeaders !== undefined;
    if (event.kind === 'server-trailer') return this.live?.status !== undefined;
    return (this.live?.messages.length ?? 0) >= before;
  }
}

const sent = (call: TapedCall): string[] => call.events.flatMap((event) => (event.kind === 'server-message' && event.data !== undefined ? [Buffer.from(event.data).toString('latin1')] : []));

/** What a client makes of an exec stream: for each process its own messages, in order. */
function byProcess(messages: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const processes = new Map<string, string[]>();
  for (const message of messages) {
    const process = parseExec(Buffer.from(message, 'latin1'))?.process ?? '';
    processes.set(process, [...(processes.get(process) ?? []), message]);
  }
  return processes;
}

it.each([0, 1])('gives every call its recorded answers, at pace %d, whatever the order of the client', (pace) => {
  fc.assert(
    fc.property(recording, fc.infiniteStream(fc.nat()), ({ tape, calls, status }, choices) => {
      const stage = new Stage(tape.script, { pace, stallMs: 100_000 });
      const solve = stage.open(control('Solve')).asks(solveRequest({}));
      const live = stage.open(control('Status')).asks(statusRequest(id('b')));
      const actors = calls.map((call) => new Actor(call, stage, (method) => stage.bridge(method)));
      for (let idle = 0; actors.some(({ isDone }) => !isDone); ) {
        const able = actors.filter(({ canGo }) => canGo);
        if (able.length > 0) {
          able[(choices.next().value ?? 0) % able.length]?.go();
          idle = 0;
          continue;
        }
        idle += 1;
        // At pace 0 nothing is left to time; else it comes at its time.
        expect({ idle, misses: stage.misses }).toEqual({ idle: pace === 0 ? 0 : Math.min(idle, 1000), misses: [] });
        stage.clock.pass(10);
      }
      const returned = stage.bridge('Return').asks(NOTHING);
      stage.clock.pass(100_000);
      expect(stage.misses).toEqual([]);
      expect(stage.crashes).toEqual([]);
      expect([returned, solve, live].map((call) => call.status?.code)).toEqual([0, 0, 0]);
      expect(live.texts).toEqual(sent(status));
      actors.forEach(({ call }, index) => {
        const recorded = calls[index];
        if (recorded === undefined) return;
        const texts = call?.texts ?? [];
        if (recorded.path.endsWith('ExecProcess')) expect(byProcess(texts)).toEqual(byProcess(sent(recorded)));
        else if (!recorded.path.endsWith('ReadFile')) expect(texts).toEqual(sent(recorded));
      });
      // Reads of one file are one question asked again: each answer is given once, in the recorded order.
      const answers = (of: (actor: Actor, index: number) => readonly string[]): string[] => actors.flatMap((actor, index) => (calls[index]?.path.endsWith('ReadFile') === true ? of(actor, index) : [])).sort();
      expect(answers(({ call }) => call?.texts ?? [])).toEqual(answers((_actor, index) => (calls[index] === undefined ? [] : sent(calls[index]))));
    }),
    { numRuns: 150 },
  );
});
