/**
 * Many builds at once that begin with the same requests and differ sooner or later, in any interleaving: each client
 * gets what was recorded for a build that did what it does, and no recorded build is given twice before each was once.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeExec } from '../../src/bridge/index.js';
import { control, encode, FRONTEND } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { newContainer, Process, readFile, releaseContainer, solveRequest, statusRequest, Tape, type TapedCall } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();

/** What a build does, one after the other: solve something, read from what came of it, talk with a process. */
type Step = { readonly kind: 'solve' | 'read' | 'line'; readonly name: string };
type Plan = readonly Step[];

const step: fc.Arbitrary<Step> = fc.record({ kind: fc.constantFrom('solve', 'read', 'line'), name: fc.constantFrom('a', 'b') });
/** Plans that share beginnings: few steps to choose from, and some plans more than once. */
const plans: fc.Arbitrary<readonly Plan[]> = fc
  .tuple(fc.array(step, { maxLength: 3 }), fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 6 }))
  .chain(([common, rests]) => {
    const all = rests.map((rest) => [...common, ...rest]);
    return fc.array(fc.nat({ max: all.length - 1 }), { minLength: 2, maxLength: 10 }).map((picks) => picks.map((pick) => all[pick] ?? []));
  });

/** The nth id of a kind that somebody made up. */
const idOf = (who: number, kind: string, nth: number): string => `${who}${kind}${nth}`.padStart(25, 'z');
const solveOf = (name: string): Uint8Array => encode(`${FRONTEND}.SolveRequest`, { Frontend: name });
const solved = (ref: string): Uint8Array => encode(`${FRONTEND}.SolveResponse`, { result: { ref: { id: ref } } });
const returnOf = (ref: string): Uint8Array => encode(`${FRONTEND}.ReturnRequest`, { result: { ref: { id: ref } } });
/** What a step asks for, by what it names: a read is of what was solved last. */
function contentOf(plan: Plan, at: number): string {
  const base = plan.slice(0, at).findLast(({ kind }) => kind === 'solve');
  const step = plan[at];
  return step?.kind === 'read' ? `read ${base?.name ?? 'nothing'}/${step.name}` : `${step?.kind} ${step?.name}`;
}

function record(tape: Tape, plan: Plan, number: number): void {
  const build = idOf(number, 'build', 0);
  const end = tape.solve({ Ref: build });
  const status = tape.status(build).headed();
  tape.unary('Ping', NOTHING, bytes('pong'), build);
  let ref = 'none';
  const container = idOf(number, 'container', 0);
  const process = new Process(`${container}:p`, container);
  tape.unary('NewContainer', newContainer(container), NOTHING, build);
  const stream: TapedCall = tape.bridge('ExecProcess', build).sends(process.init()).headed().answers(process.started);
  plan.forEach(({ kind, name }, at) => {
    if (kind === 'solve') tape.unary('Solve', solveOf(name), solved((ref = idOf(number, 'ref', at))), build);
    else if (kind === 'read') tape.unary('ReadFile', readFile(`/${name}`, ref), bytes(contentOf(plan, at)), build);
    else stream.sends(process.file(0, name)).answers(process.file(1, `heard ${name}`));
    status.answers(encode('moby.buildkit.v1.StatusResponse', { vertexes: [{ name: contentOf(plan, at), started: { seconds: number + 1 } }] }));
  });
  stream.sends(process.eof(0)).answers(process.exit()).answers(process.done).cancels();
  tape.unary('ReleaseContainer', releaseContainer(container), NOTHING, build);
  tape.unary('Return', returnOf(ref), NOTHING, build);
  status.ends();
  end.headed().answers(bytes(`result ${number}`)).ends();
}

/** A client that does what a plan says, with its own ids, and remembers what it was told. */
class Client {
  readonly heard: string[] = [];
  readonly solve: LiveCall;
  readonly status: LiveCall;
  private readonly build: string;
  private readonly process: Process;
  private stream: LiveCall | undefined;
  private ref = 'none';
  private at = -4;

  constructor(
    private readonly stage: Stage,
    private readonly plan: Plan,
    number: number,
  ) {
    this.build = idOf(number, 'live', 0);
    const container = idOf(number, 'own', 0);
    this.process = new Process(`${container}:q`, container);
    this.solve = stage.open(control('Solve')).asks(solveRequest({ Ref: this.build }));
    this.status = stage.open(control('Status')).asks(statusRequest(this.build));
  }

  get isDone(): boolean {
    return this.at > this.plan.length + 2;
  }

  go(): void {
    const { process, plan } = this;
    const step = plan[this.at];
    if (this.at === -4) this.ask('Ping', NOTHING);
    else if (this.at === -3) this.ask('NewContainer', newContainer(process.container));
    else if (this.at === -2) this.stream = this.stage.bridge('ExecProcess', this.build).says(process.init());
    else if (this.at === plan.length) this.stream?.says(process.eof(0)).cancels();
    else if (this.at === plan.length + 1) this.ask('ReleaseContainer', releaseContainer(process.container));
    else if (this.at === plan.length + 2) this.ask('Return', returnOf(this.ref));
    else if (step?.kind === 'solve') {
      const [answer = ''] = this.ask('Solve', solveOf(step.name));
      this.ref = /[0-9a-z]{25}/.exec(answer)?.[0] ?? 'lost';
    } else if (step?.kind === 'read') this.heard.push(...this.ask('ReadFile', readFile(`/${step.name}`, this.ref)));
    else if (step !== undefined) this.stream?.says(process.file(0, step.name));
    this.at += 1;
  }

  /** What its process said. */
  get spoken(): readonly string[] {
    return this.stream?.messages.map((payload) => describeExec(payload, 'server').text) ?? [];
  }

  get progress(): readonly string[] {
    return this.status.texts.map((text) => /(solve|read|line) [a-z/]+/.exec(text)?.[0] ?? text);
  }

  private ask(method: string, request: Uint8Array): readonly string[] {
    return this.stage.bridge(method, this.build).asks(request).texts;
  }
}

/** Equal for plans that ask for the same; only what is said to a process has an order. */
function keyOf(plan: Plan): string {
  const asked = plan.flatMap(({ kind }, at) => (kind === 'line' ? [] : [contentOf(plan, at)]));
  return JSON.stringify([sorted(asked), plan.filter(({ kind }) => kind === 'line')]);
}
const sorted = (texts: readonly string[]): readonly string[] => [...texts].sort();

it('gives every client what was recorded for a build like its own, and each recorded build once', () => {
  fc.assert(
    fc.property(plans, fc.infiniteStream(fc.nat()), (all, choices) => {
      const tape = new Tape();
      all.forEach((plan, number) => record(tape, plan, number));
      const stage = new Stage(tape.script, { stallMs: 0 });
      const next = (): number => Number(choices.next().value);
      // The clients come in another order than the recorded ones did.
      const order = all.map((plan) => ({ plan, key: next() })).sort((a, b) => a.key - b.key);
      const clients = order.map(({ plan }, number) => new Client(stage, plan, number));
      for (let open = clients; open.length > 0; open = open.filter(({ isDone }) => !isDone)) open[next() % open.length]?.go();

      expect([stage.misses, stage.crashes]).toEqual([[], []]);
      clients.forEach((client, index) => {
        const plan = order[index]?.plan ?? [];
        expect(client.heard).toEqual(plan.flatMap(({ kind }, at) => (kind === 'read' ? [contentOf(plan, at)] : [])));
        expect(client.spoken).toEqual(['started', ...plan.flatMap(({ kind, name }) => (kind === 'line' ? [`stdout 7 B "heard ${name}"`] : [])), 'exit 0', 'done']);
        // Every step is told of once, whichever recording told it.
        expect(sorted(client.progress)).toEqual(sorted(plan.map((_step, at) => contentOf(plan, at))));
        expect([client.solve.status?.code, client.status.status?.code]).toEqual([0, 0]);
      });
      for (const key of new Set(all.map(keyOf))) {
        const results = (of: (number: number) => string | undefined, plansOf: readonly Plan[]): readonly string[] => sorted(plansOf.flatMap((plan, number) => (keyOf(plan) === key ? [of(number) ?? 'none'] : [])));
        expect(results((number) => clients[number]?.solve.texts[0], order.map(({ plan }) => plan))).toEqual(results((number) => `result ${number}`, all));
      }
    }),
    { numRuns: 100 },
  );
});
