/**
 * The proof of "and nothing else" over the wire: a client of a replayer that changes one field of a request, found from
 * proto/, is told so, and one that changes nothing is answered. That every change counts wherever it stands is shown
 * without a wire, in test/bridge/nothing-else.test.ts.
 */
import * as grpc from '@grpc/grpc-js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXEC_PROCESS, knownMethods, RETURN, SOLVE } from '../../src/bridge/index.js';
import { whole, type NewEvent } from '../../src/cassette/index.js';
import { replay, reportOf, type Replay, type ReplayReport } from '../../src/replayer/index.js';
import { encode, FRONTEND } from '../bridge/build.js';
import { Builder, casesOf, isAnnotated, isCovered, known, type Case } from '../bridge/changed-fields.js';
import { record } from '../cassette/recording.js';
import { fields, ofBuild } from './tape.js';

const same = (bytes: Buffer): Buffer => bytes;
/** A recorded build, a live one, and a live one that comes later. */
type World = 'r' | 'l' | 'm';
/** An id as BuildKit makes them. */
const idOf = (world: World, build: number): string => `${world}${build.toString().padStart(24, 'a')}`;
const solveOf = (world: World, build: number): Uint8Array => encode('moby.buildkit.v1.SolveRequest', { Ref: idOf(world, build), Session: idOf(world, 9_000_000 + build), FrontendAttrs: { case: String(build) } });

/** Another value of each field of each message, at the first place where it stands. */
function changesOf(request: string): readonly Case[] {
  const seen = new Set<string>();
  return casesOf(request).filter((it) => {
    const { message, field } = it.steps.at(-1) ?? {};
    const place = `${message?.name}.${field?.name}`;
    if (it.change !== 'another value' || isAnnotated(it) || isCovered(it) || seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

/** Each build asks for the one thing, and ends. */
function recordingOf(path: string, requests: readonly Uint8Array[]): NewEvent[] {
  let time = 0n;
  const at = (): { readonly time: bigint; readonly connection: 1 } => ({ time: ++time, connection: 1 });
  return requests.flatMap((request, build): NewEvent[] => {
    const [solve, call] = [2 * build + 1, 2 * build + 2];
    const headed = (of: number): NewEvent => ({ kind: 'server-header', ...at(), call: of, headers: fields([[':status', '200'], ['content-type', 'application/grpc']]) });
    const message = (kind: 'client-message' | 'server-message', of: number, data: Uint8Array): NewEvent => ({ kind, ...at(), call: of, compressed: false, size: data.length, data: [whole(data)] });
    return [
      { kind: 'client-header', ...at(), call: solve, headers: fields([[':path', SOLVE]]) },
      message('client-message', solve, solveOf('r', build)),
      { kind: 'client-half-close', ...at(), call: solve },
      { kind: 'client-header', ...at(), call, headers: fields([[':path', path], ...ofBuild(idOf('r', build))]) },
      message('client-message', call, request),
      { kind: 'client-half-close', ...at(), call },
      headed(call),
      message('server-message', call, Buffer.alloc(0)),
      { kind: 'server-trailer', ...at(), call, headers: fields([['grpc-status', '0'], ['x-build', String(build)]]) },
      headed(solve),
      message('server-message', solve, Buffer.alloc(0)),
      { kind: 'server-trailer', ...at(), call: solve, headers: fields([['grpc-status', '0']]) },
    ];
  });
}

/** The field of a difference without its places in lists and maps: `Definition.op.exec.meta.args`. */
const withoutPlaces = (field: string): string => field.replace(/\[(?:\d+|"(?:[^"\\]|\\.)*"|op\[\d+\])\]/g, '');

/** How the canonical form calls a field of a request: an op's inputs are a place each. */
function nameOf({ steps }: Case): string {
  return steps
    .filter(({ message }) => message.name !== 'pb.Input')
    .map(({ message, field }) => (message.name === 'pb.Definition' && field.name === 'def' ? 'op' : field.name))
    .join('.');
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nothing-else-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe.each(knownMethods(`${FRONTEND}.LLBBridge`).filter(({ path, requestType }) => path !== EXEC_PROCESS && changesOf(requestType).length > 0))('$name', ({ name, path, requestType }) => {
  const type = known(requestType);
  const cases = changesOf(requestType);
  const before = cases.map(({ steps }) => new Builder(steps, undefined).message(type, 0));
  let told: readonly (grpc.StatusObject & { readonly build: string | undefined })[];
  let answered: typeof told;
  let report: ReplayReport;

  beforeAll(async () => {
    const file = join(folder, `${name}.cassette`);
    await record(file, recordingOf(path, before));
    const replaying: Replay = await replay({ file });
    const client = new grpc.Client(replaying.address.replace('unix://', 'unix:'), grpc.credentials.createInsecure());
    const ask = (method: string, payload: Uint8Array, build?: number, world: World = 'l'): Promise<(typeof told)[number]> =>
      new Promise((resolve) => {
        const metadata = new grpc.Metadata();
        for (const [header, value] of build === undefined ? [] : ofBuild(idOf(world, build))) metadata.add(header, value);
        client.makeUnaryRequest(method, same, same, Buffer.from(payload), metadata, () => undefined).on('status', (status: grpc.StatusObject) => {
          resolve({ ...status, build: status.metadata.get('x-build')[0]?.toString() });
        });
      });
    try {
      cases.forEach((_, build) => void ask(SOLVE, solveOf('l', build)));
      told = await Promise.all(cases.map(({ steps, change }, build) => ask(path, new Builder(steps, change).message(type, 0), build)));
      // With its Return, a build has ended.
      const later = path === RETURN ? 'm' : 'l';
      if (later === 'm') cases.forEach((_, build) => void ask(SOLVE, solveOf(later, build)));
      answered = await Promise.all(before.map((request, build) => ask(path, request, build, later)));
      report = reportOf(replaying, { strict: false });
    } finally {
      client.close();
      await replaying.close();
    }
  });

  it(`with any one of ${cases.length} fields changed is a miss that names the field and both values, to the client and in the report`, () => {
    const misses = new Map(report.misses.listed.map((miss) => [miss.closest?.call, miss]));
    const wrong = cases.flatMap((it, build) => {
      const miss = misses.get(2 * build + 2);
      const status = told[build];
      const [difference, ...more] = miss?.closest?.differences ?? [];
      const isTold = status?.code === grpc.status.FAILED_PRECONDITION && status.details === miss?.message && miss.method === path;
      const { field = '', recorded, live } = difference ?? {};
      const isNamed = more.length === 0 && withoutPlaces(field) === nameOf(it) && recorded !== live;
      const isShown = difference !== undefined && status?.details.includes(`LLBBridge/${name}`) === true && (difference.op !== undefined || status.details.includes(`${field}: recorded ${recorded ?? 'nothing'}, got ${live ?? 'nothing'}`));
      return isTold && isNamed && isShown ? [] : [{ path: it.path, code: status?.code, details: status?.details, differences: miss?.closest?.differences }];
    });
    expect(wrong).toEqual([]);
    expect(report.misses.count).toBe(cases.length);
  });

  it('with none changed is answered by the call of its build', () => {
    expect(answered.map(({ code, build }) => [code, build])).toEqual(cases.map((_, build) => [grpc.status.OK, String(build)]));
  });
});
