import { describe, expect, it } from 'vitest';
import { control, digestOf, encode, FRONTEND, graph, id } from '../bridge/build.js';
import { Stage, type LiveCall } from './stage.js';
import { BUILD, newContainer, readFile, releaseContainer, SESSION_ID, solveRequest, statusRequest, Tape } from './tape.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const NOTHING = new Uint8Array();

/** A build that reads one file and returns. */
function recordBuild(tape: Tape, build: string, path: string, answer: string, solve = {}): void {
  const end = tape.solve({ Ref: build, Session: id('z'), ...solve });
  const status = tape.status(build).headed().answers(bytes(`status of ${answer}`));
  tape.unary('ReadFile', readFile(path), bytes(answer), build);
  tape.unary('Return', bytes(''), NOTHING, build);
  status.ends();
  end.headed().answers(bytes(`result of ${answer}`)).ends();
}

/** A client's build that does the same, under an id of its own. */
function live(stage: Stage, build: string, path: string, solve = {}): { readonly solve: LiveCall; readonly status: LiveCall; readonly read: LiveCall } {
  const calls = { solve: stage.open(control('Solve')).asks(solveRequest({ Ref: build, Session: id('q'), ...solve })), status: stage.open(control('Status')).asks(statusRequest(build)) };
  const read = stage.bridge('ReadFile', build).asks(readFile(path));
  stage.bridge('Return', build).asks(NOTHING);
  return { ...calls, read };
}

describe('a build', () => {
  it('is played under the ids of this client', () => {
    const tape = new Tape();
    recordBuild(tape, BUILD, '/a', 'a');
    const stage = new Stage(tape.script);
    const { solve, status, read } = live(stage, id('n'), '/a');
    expect([solve, status, read].map((call) => [call.texts, call.status?.code])).toEqual([[['result of a'], 0], [['status of a'], 0], [['a'], 0]]);
    expect(stage.misses).toEqual([]);
  });

  it('may send its first calls before its Solve', () => {
    const tape = new Tape();
    const end = tape.solve();
    tape.unary('Ping', NOTHING, bytes('pong'));
    tape.status().headed().answers(bytes('status')).ends();
    tape.unary('ReadFile', readFile('/a'), bytes('a'));
    end.headed().ends();
    const stage = new Stage(tape.script);
    const calls = [stage.bridge('Ping').asks(NOTHING), stage.open(control('Status')).asks(statusRequest(BUILD)), stage.bridge('ReadFile').asks(readFile('/a'))];
    expect(calls.map(({ texts }) => texts)).toEqual([[], [], []]);
    stage.open(control('Solve')).asks(solveRequest({}));
    expect(calls.map(({ texts }) => texts[0])).toEqual(['pong', 'status', 'a']);
  });

  it('whose Solve was not recorded is refused, with all its calls', () => {
    const tape = new Tape();
    recordBuild(tape, BUILD, '/a', 'a', { FrontendAttrs: { target: 'one' } });
    const stage = new Stage(tape.script);
    const early = stage.bridge('ReadFile').asks(readFile('/a'));
    const solve = stage.open(control('Solve')).asks(solveRequest({ FrontendAttrs: { target: 'two' } }));
    const text = 'bridgetape: the cassette has no answer for this Control/Solve; the closest is call 1, which differs in FrontendAttrs["target"]: recorded "one", got "two"';
    expect([early, solve, stage.bridge('Ping')].map(({ status }) => status)).toMatchObject([{ code: 9, message: text }, { code: 9, message: text }, { code: 9, message: text }]);
    expect(stage.misses).toEqual([text]);
  });

  it('is given Pings again and again, the recorded ones first', () => {
    const tape = new Tape();
    tape.solve();
    for (const answer of ['one', 'two']) tape.unary('Ping', NOTHING, bytes(answer));
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    const ping = (): string | undefined => stage.bridge('Ping').asks(NOTHING).texts[0];
    expect([ping(), ping(), ping()]).toEqual(['one', 'two', 'two']);
  });

  it('that returns something else than recorded does not end as recorded', () => {
    const tape = new Tape();
    const end = tape.solve();
    const request = (ref: string): Uint8Array => encode(`${FRONTEND}.ReturnRequest`, { result: { ref: { id: ref } } });
    tape.unary('Return', request(id('1')), NOTHING);
    end.headed().answers(bytes('built')).ends();
    const stage = new Stage(tape.script);
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    const returned = stage.bridge('Return').asks(request(id('2')));
    expect(returned.status?.message).toContain('the closest is call 2, which differs in result.ref.id');
    expect(solve.status).toMatchObject({ code: 9, message: returned.status?.message });
    expect(stage.misses).toHaveLength(1);
  });

  it('that returns something else than recorded has failed for all who ask about it, then and later', () => {
    const tape = new Tape();
    const end = tape.solve();
    const status = tape.status().headed();
    const stream = tape.bridge('Talk').sends(bytes('go')).headed();
    tape.unary('Return', bytes(''), NOTHING);
    stream.sends(bytes('more')).answers(bytes('late')).ends();
    status.answers(bytes('built')).ends();
    end.headed().ends();
    const stage = new Stage(tape.script);
    const [solve, watched] = [stage.open(control('Solve')).asks(solveRequest({})), stage.open(control('Status')).asks(statusRequest(BUILD))];
    const talk = stage.bridge('Talk').says(bytes('go'));
    const { message } = stage.bridge('Return').asks(encode(`${FRONTEND}.ReturnRequest`, { error: { code: 2, message: 'no' } })).status ?? {};
    expect(message).toContain('which differs in error: recorded nothing, got { code: 2, message: "no" }');
    const late = stage.open(control('Status')).asks(statusRequest(BUILD));
    expect([solve, watched, late].map((call) => [call.status?.code, call.status?.message, call.texts])).toEqual(Array.from({ length: 3 }, () => [9, message, []]));
    // What belongs to the build fails with it; it is one miss.
    expect([talk.status?.message, stage.misses, stage.crashes]).toEqual([message, [message], []]);
  });

  it.each<[string, (text: string) => string]>([
    ['as it was told', (text) => text],
    ['within words of its own', (text) => `failed to solve: rpc error: code = FailedPrecondition desc = ${text}`],
    ['in other words', () => 'the file is gone'],
  ])('whose client returns an error after a miss, %s, has failed by that: one miss', (_how, wrap) => {
    const tape = new Tape();
    const end = tape.solve();
    tape.unary('ReadFile', readFile('/a'), bytes('a'));
    tape.unary('Return', encode(`${FRONTEND}.ReturnRequest`, { result: { ref: { id: id('r') } } }), NOTHING);
    end.headed().ends();
    const stage = new Stage(tape.script);
    const solve = stage.open(control('Solve')).asks(solveRequest({}));
    const { message = '' } = stage.bridge('ReadFile').asks(readFile('/ö')).status ?? {};
    const returned = stage.bridge('Return').asks(encode(`${FRONTEND}.ReturnRequest`, { error: { code: 9, message: wrap(message) } }));
    expect([returned, solve].map(({ status }) => [status?.code, status?.message])).toEqual([[9, message], [9, message]]);
    expect(stage.misses).toEqual([message]);
    stage.clock.pass(60_000);
    expect(stage.clock.pending).toBe(0);
  });

  it('gets its status from a client that asks only when it has ended', () => {
    const tape = new Tape();
    const end = tape.solve();
    tape.status().headed().answers(bytes('status')).ends();
    end.headed().ends();
    const stage = new Stage(tape.script);
    expect(stage.open(control('Solve')).asks(solveRequest({})).status?.code).toBe(0);
    expect(stage.open(control('Status')).asks(statusRequest(BUILD)).texts).toEqual(['status']);
  });

  it('of which the client asks for more Status than was recorded, has an empty one', () => {
    const tape = new Tape();
    recordBuild(tape, BUILD, '/a', 'a');
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({}));
    const [, second] = [stage.open(control('Status')).asks(statusRequest(BUILD)), stage.open(control('Status')).asks(statusRequest(BUILD))];
    expect(second).toMatchObject({ texts: [], status: { code: 0 } });
  });
});

describe('ids that the client made up', () => {
  const op = (session: string): ReturnType<typeof graph> => graph([{ name: 'source', op: { source: { identifier: 'local://context', attrs: { 'local.session': session } } } }]);

  it('are bound in ops too: Status and errors name the digests of this client', () => {
    const tape = new Tape();
    const end = tape.solve();
    const recorded = op(SESSION_ID);
    const vertex = (digest: string): Uint8Array => encode('moby.buildkit.v1.StatusResponse', { vertexes: [{ digest, name: 'context' }] });
    const digest = recorded.digests.get('source') ?? '';
    const status = tape.status().headed();
    const details = encode('google.rpc.Status', { details: [{ type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value: bytes(JSON.stringify({ digest })) }] });
    tape
      .bridge('Solve')
      .sends(encode(`${FRONTEND}.SolveRequest`, { Definition: recorded.fields }))
      .closes()
      .ends(2, [['grpc-message', `failed to solve ${digest}`], ['grpc-status-details-bin', Buffer.from(details).toString('base64').replace(/=+$/, '')]]);
    status.answers(vertex(digest));
    end.headed().ends();

    const stage = new Stage(tape.script);
    const [build, session] = [id('n'), id('m')];
    const own = op(session);
    const ownDigest = own.digests.get('source') ?? '';
    expect(ownDigest).not.toBe(digest);
    stage.open(control('Solve')).asks(solveRequest({ Ref: build, Session: session }));
    const live = stage.open(control('Status')).asks(statusRequest(build));
    const solved = stage.bridge('Solve', build).asks(encode(`${FRONTEND}.SolveRequest`, { Definition: own.fields }));

    expect(live.messages).toEqual([new Uint8Array(vertex(ownDigest))]);
    expect(solved.status).toMatchObject({ code: 2, message: `failed to solve ${ownDigest}` });
    const sent = solved.status?.trailers.find(({ name }) => name === 'grpc-status-details-bin')?.value ?? NOTHING;
    expect(Buffer.from(Buffer.from(sent).toString('latin1'), 'base64').toString('latin1')).toContain(ownDigest);
  });

  it('are bound in later requests, and in the answers about them', () => {
    const tape = new Tape();
    tape.solve();
    const container = id('c');
    tape.unary('NewContainer', newContainer(container), NOTHING);
    tape.bridge('ReleaseContainer').sends(releaseContainer(container)).closes().ends(5, [['grpc-message', `no container ${container}`]]);
    const stage = new Stage(tape.script);
    const own = id('x');
    stage.open(control('Solve')).asks(solveRequest({ Ref: id('n') }));
    stage.bridge('NewContainer', id('n')).asks(newContainer(own));
    expect(stage.bridge('ReleaseContainer', id('n')).asks(releaseContainer(own)).status).toMatchObject({ code: 5, message: `no container ${own}` });
    expect(stage.misses).toEqual([]);
  });

  it('leave answers with whole definitions as they were recorded', () => {
    const tape = new Tape();
    tape.solve();
    const answer = Buffer.concat([op(SESSION_ID).bytes]);
    tape.unary('Inputs', NOTHING, answer);
    const stage = new Stage(tape.script);
    stage.open(control('Solve')).asks(solveRequest({ Session: id('m') }));
    const [definition] = stage.bridge('Inputs').asks(NOTHING).messages;
    expect(digestOf(definition ?? NOTHING)).toBe(digestOf(answer));
  });
});

describe('several builds', () => {
  it('that begin differently are told apart by that', () => {
    const tape = new Tape();
    recordBuild(tape, id('1'), '/x', 'one', { FrontendAttrs: { target: 'one' } });
    recordBuild(tape, id('2'), '/x', 'two', { FrontendAttrs: { target: 'two' } });
    const stage = new Stage(tape.script);
    expect(live(stage, id('n'), '/x', { FrontendAttrs: { target: 'two' } }).read.texts).toEqual(['two']);
    expect(live(stage, id('m'), '/x', { FrontendAttrs: { target: 'one' } }).read.texts).toEqual(['one']);
  });

  it('that begin alike are told apart by their first request on the bridge', () => {
    const tape = new Tape();
    recordBuild(tape, id('1'), '/one', 'one');
    recordBuild(tape, id('2'), '/two', 'two');
    const stage = new Stage(tape.script);
    const [second, first] = [live(stage, id('n'), '/two'), live(stage, id('m'), '/one')];
    expect([second.solve.texts, second.status.texts, first.solve.texts]).toEqual([['result of two'], ['status of two'], ['result of one']]);
    expect(stage.misses).toEqual([]);
  });

  it('that begin alike at once are told apart, Pings and all', () => {
    const tape = new Tape();
    for (const [build, path] of [[id('1'), '/one'], [id('2'), '/two']] as const) {
      const end = tape.solve({ Ref: build });
      tape.unary('Ping', NOTHING, bytes('pong'), build);
      tape.unary('ReadFile', readFile(path), bytes(path), build);
      tape.unary('Return', NOTHING, NOTHING, build);
      end.headed().answers(bytes(path)).ends();
    }
    const stage = new Stage(tape.script);
    const builds = [id('n'), id('m')] as const;
    const solves = builds.map((build) => stage.open(control('Solve')).asks(solveRequest({ Ref: build })));
    expect(builds.map((build) => stage.bridge('Ping', build).asks(NOTHING).texts[0])).toEqual(['pong', 'pong']);
    stage.bridge('ReadFile', builds[0]).asks(readFile('/two'));
    stage.bridge('ReadFile', builds[1]).asks(readFile('/one'));
    for (const build of builds) stage.bridge('Return', build).asks(NOTHING);
    expect(solves.map(({ texts }) => texts[0])).toEqual(['/two', '/one']);
    expect(stage.misses).toEqual([]);
  });

  it('that are the same all through are each played once, before any is played again', () => {
    const tape = new Tape();
    for (const number of ['1', '2', '3']) recordBuild(tape, id(number), '/x', `build ${number}`);
    const stage = new Stage(tape.script);
    const results = Array.from({ length: 6 }, (_, index) => live(stage, id(String.fromCharCode(97 + index)), '/x').solve.texts[0]);
    expect(results).toEqual([1, 2, 3, 1, 2, 3].map((number) => `result of build ${number}`));
  });

  it('that are the same and go on at once are each played by one client', () => {
    const tape = new Tape();
    for (const number of ['1', '2']) recordBuild(tape, id(number), '/x', `build ${number}`);
    const stage = new Stage(tape.script);
    const builds = [id('n'), id('m')] as const;
    for (const build of builds) stage.open(control('Solve')).asks(solveRequest({ Ref: build }));
    expect(builds.map((build) => stage.bridge('ReadFile', build).asks(readFile('/x')).texts[0])).toEqual(['build 1', 'build 2']);
  });

  it('may use one id, one after the other', () => {
    const tape = new Tape();
    recordBuild(tape, BUILD, '/a', 'a');
    const stage = new Stage(tape.script);
    for (let time = 0; time < 3; time += 1) expect(live(stage, BUILD, '/a').solve.texts).toEqual(['result of a']);
    expect(stage.misses).toEqual([]);
  });

  it('are forgotten when they are over', () => {
    const tape = new Tape();
    recordBuild(tape, BUILD, '/a', 'a');
    const stage = new Stage(tape.script);
    for (let index = 0; index < 500; index += 1) live(stage, index.toString().padStart(25, '0'), '/a');
    expect(stage.replayer.remembered).toBeLessThan(100);
    stage.clock.pass(60_000);
    expect(stage.clock.pending).toBe(0);
  });

  it('are forgotten when their clients go away, wherever they are', () => {
    const tape = new Tape();
    for (const path of ['/a', '/b']) {
      recordBuild(tape, id(path.slice(1)), path, path);
      tape.unary('Ping', NOTHING, bytes('pong'), id(path.slice(1)));
    }
    const stage = new Stage(tape.script, { pace: 1 });
    for (let index = 0; index < 300; index += 1) {
      const build = index.toString().padStart(25, '0');
      const calls = [
        stage.bridge('Ping', build).says(NOTHING),
        ...(index % 2 === 0 ? [stage.open(control('Solve')).asks(solveRequest({ Ref: build }))] : []),
        stage.open(control('Status')).asks(statusRequest(build)),
        ...(index % 3 === 0 ? [stage.bridge('ReadFile', build).says(readFile('/b'))] : []),
      ];
      for (const call of calls) call.cancels();
    }
    expect(stage.replayer.remembered).toBeLessThan(100);
    stage.clock.pass(60_000);
    expect([stage.clock.pending, stage.misses]).toEqual([0, []]);
  });
});
