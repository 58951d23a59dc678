/** Reports of a comparison, made by hand: what a renderer is given. */
import { DIFFERENCE_CLASSES, type BuildDifferences, type CallDifferences, type CallPlace, type Difference, type DifferenceClass, type DiffReport, type OpPlace, type Pair, type Recording } from '../../src/diff/index.js';

export const call = (number: number): CallPlace => ({ call: number, start: BigInt(number) * 1_000_000n });
export const calls = (before?: number, after?: number): Pair<CallPlace> => ({ ...(before === undefined ? {} : { before: call(before) }), ...(after === undefined ? {} : { after: call(after) }) });

export function op(index: number, name: string, line?: number, endLine = line): OpPlace {
  return { index, name, ...(line === undefined || endLine === undefined ? {} : { source: { file: 'Dockerfile', line, endLine } }) };
}

export function difference(at: string, before: string | undefined, after: string | undefined, more: Partial<Difference> = {}): Difference {
  const value = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  return { class: 'requests', at, otherOps: [], value, isText: false, isAnnotation: false, again: [], ...more };
}

export function inCall(method: string, before: number | undefined, after: number | undefined, differences: readonly Difference[], about?: string): CallDifferences {
  return { method: `LLBBridge/${method}`, calls: calls(before, after), ...(about === undefined ? {} : { about }), differences };
}

/** A call that only one recording has. */
export function onlyOne(method: string, before: number | undefined, after: number | undefined, about?: string): CallDifferences {
  return inCall(method, before, after, [difference('call', undefined, undefined, { class: 'order' })], about);
}

export function build(differing: readonly CallDifferences[], more: Partial<BuildDifferences> = {}): BuildDifferences {
  return { name: 'dockerfile.v0 target=release', builds: { before: 1, after: 1 }, calls: differing, ...more };
}

const RECORDING: Recording = {
  path: 'old.cassette',
  startedAt: new Date('2026-01-02T03:04:05.678Z'),
  buildkitVersion: 'v0.8.3',
  builds: 1,
  calls: 10,
  duration: 2_000_000_000n,
  isWhole: true,
};

export function report(builds: readonly BuildDifferences[], more: Partial<DiffReport> = {}): DiffReport {
  const environment = more.environment ?? [];
  return {
    before: RECORDING,
    after: { ...RECORDING, path: 'new.cassette', buildkitVersion: 'v0.32.2', calls: 12 },
    builds,
    environment,
    counts: counted([...environment, ...builds.flatMap((one) => one.calls)]),
    compared: { builds: 1, calls: 10, messages: 96 },
    notes: [],
    ...more,
  };
}

function counted(all: readonly CallDifferences[]): Record<DifferenceClass, number> {
  const of = (name: DifferenceClass): number => all.reduce((sum, { differences }) => sum + differences.filter((one) => one.class === name).length, 0);
  return Object.fromEntries(DIFFERENCE_CLASSES.map((name) => [name, of(name)])) as Record<DifferenceClass, number>;
}

/** Something of everything. */
export function ordinary(): DiffReport {
  const image = { before: op(0, 'source docker-image://docker.io/library/alpine:3.19', 1), after: op(0, 'source docker-image://docker.io/library/alpine:3.20', 1) };
  const make = { before: op(1, 'RUN make', 12), after: op(1, 'RUN make test', 12) };
  const script = { before: op(3, 'RUN set -e gcc main.c', 14, 18), after: op(3, 'RUN set -e gcc main.c -O2', 15, 19) };
  return report(
    [
      build([
        inCall('Solve', 7, 9, [
          difference('source.identifier', '"docker-image://docker.io/library/alpine:3.19"', '"docker-image://docker.io/library/alpine:3.20"', { op: image, again: [calls(8, 11), calls(9, 12)] }),
          difference('exec.meta.args[2]', '"make"', '"make test"', { op: make }),
          difference('exec.meta.env[3]', undefined, 'CGO_ENABLED=0', { op: make }),
          difference('op', undefined, 'RUN strip /bin/app', { op: { after: op(2, 'RUN strip /bin/app', 13) } }),
          difference('exec.meta.args[2]', 'set -e\ngcc main.c\nls\n', 'set -e\ngcc main.c -O2\nls\n', { op: script, isText: true }),
          difference('FrontendOpt["build-arg:WHO"]', 'you', 'me'),
          difference('Definition.Source.infos[0].filename', 'Dockerfile', 'Containerfile', { isAnnotation: true }),
          difference('metadata["containerimage.config"]', '{"a":1}', '{"a":2}', { class: 'responses' }),
        ]),
        onlyOne('ReadFile', undefined, 10, '.dockerignore'),
        onlyOne('StatFile', 4, undefined, 'Dockerfile'),
        onlyOne('StatFile', 5, undefined, 'Dockerfile'),
        inCall('ExecProcess', 11, 14, [
          difference('stdout', 'one\r\ntwo\r\n', 'one\r\n\u001b[31mthree\r\n', { class: 'exec', isText: true, process: { before: 'sh -c ls', after: 'sh -c ls' } }),
          difference('exit', '0', '1', { class: 'exec', process: { before: 'sh -c ls', after: 'sh -c ls' } }),
        ], 'sh -c ls'),
      ]),
      build([{ method: 'build', calls: {}, differences: [difference('build', undefined, 'dockerfile.v0 target=test', { class: 'order' })] }], { name: 'dockerfile.v0 target=test', builds: { after: 2 } }),
    ],
    {
      environment: [{ method: 'Control/ListWorkers', calls: calls(1, 1), differences: [difference('record[0].platforms', 'linux/amd64', 'linux/amd64, linux/arm64', { class: 'environment' })] }],
      notes: ['LLBBridge/ResolveImageConfig in old.cassette stands for LLBBridge/ResolveSourceMeta in new.cassette.'],
    },
  );
}
