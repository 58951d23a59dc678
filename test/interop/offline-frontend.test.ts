// BuildKit's own Dockerfile frontends on this machine, each against cassettes of its own, with no daemon and no network.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  bridgetapeOffline,
  buildKitVersions,
  describeInterop,
  FRONTEND_VERSIONS,
  ownWords,
  pushBaseImage,
  pushFrontendImage,
  recipe,
  runCommand,
  startDaemon,
  startRegistry,
  temporaryFolder,
  type BuildKit,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';
import { manyTimes, REPLAYS, REPLAYS_TIMEOUT } from './replays/many-times.js';
import { observed } from './replays/observed.js';

const versions = buildKitVersions(FRONTEND_VERSIONS);

const RUNS = 20;

const TAPPED = join(import.meta.dirname, 'replays', 'tapped-frontend.mjs');

const TOOLS = `FROM scratch AS tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
`;

const STAGES = `${TOOLS}
# says hello
FROM tools AS greeting
ARG WHO=nobody
RUN echo hello $WHO | tee /greeting

FROM scratch
COPY --from=greeting /greeting /
`;

interface Scenario {
  readonly name: string;
  /** `IMAGE` stands for the base image in the registry. */
  readonly dockerfile: string;
  /** More for buildctl. */
  readonly build?: readonly string[];
  /** The build ends with 1 in these versions: the frontend fails, and so it does offline. */
  readonly fails?: (version: string) => boolean;
}

const DESCRIBED = '# the only one\nFROM scratch as one\nARG X=1\nCOPY Dockerfile /\n';
const request = (name: string): readonly string[] => ['--opt', `requestid=frontend.${name}`, '--opt', 'frontend.caps=moby.buildkit.frontend.subrequests'];
const isOldest = (version: string): boolean => version === 'v0.8.3';

const SCENARIOS: readonly Scenario[] = [
  { name: 'several stages with a build argument', dockerfile: STAGES, build: ['--opt', 'build-arg:WHO=you'] },
  // Without here-documents, which came with v0.9, the lines of one are taken for instructions.
  { name: 'a here-document', dockerfile: `${TOOLS}RUN <<EOF\necho one\necho two >/two\nEOF\n`, fails: isOldest },
  {
    name: 'mounts of every kind',
    dockerfile: `${TOOLS}RUN --mount=type=cache,target=/c --mount=type=bind,source=.,target=/b --mount=type=tmpfs,target=/t --mount=type=secret,id=s ls /b /c /t && cat /run/secrets/s\n`,
    build: ['--secret', 'id=s,src=secret.txt'],
  },
  { name: 'a base image from a registry', dockerfile: 'FROM IMAGE\nRUN ["/bin/busybox", "sh", "-c", "echo $COLOUR"]\n' },
  {
    name: 'a target and a platform',
    dockerfile: `${TOOLS}\nFROM scratch AS one\nCOPY Dockerfile /one\n\nFROM scratch AS two\nCOPY Dockerfile /two\n`,
    build: ['--opt', 'target=one', '--opt', 'platform=linux/arm64'],
  },
  { name: 'a syntax error', dockerfile: 'FROM scratch\nCOPI a b\n', fails: () => true },
  // v0.8.3 knows no subrequests, and says so.
  { name: 'the subrequest outline', dockerfile: DESCRIBED, build: request('outline'), fails: isOldest },
  { name: 'the subrequest targets', dockerfile: DESCRIBED, build: request('targets'), fails: isOldest },
  { name: 'the subrequest lint', dockerfile: DESCRIBED, build: request('lint'), fails: isOldest },
];

describeInterop(
  'a Dockerfile frontend offline',
  () => {
    describe.each(versions)('%s', (version) => {
      let folder: TemporaryFolder;
      let programs: BuildKit;
      const cassettes = new Map<string, string>();

      beforeAll(async () => {
        folder = temporaryFolder('bt-offline-');
        const tapes = join(folder.path, 'tapes');
        const runtime = join(folder.path, 'runtime');
        expect((await bridgetape(['runtime', '--dir', tapes, '--install', runtime])).status).toBe(0);
        const registry = await startRegistry();
        const daemon = await startDaemon(version, { config: registry.daemonConfig, flags: [`--oci-worker-binary=${runtime}`] });
        try {
          ({ programs } = daemon);
          const base = await pushBaseImage(daemon, registry);
          const image = await pushFrontendImage(daemon, registry);
          for (const { name, dockerfile, build = [], fails } of SCENARIOS) {
            const source = recipe(dockerfile.replace('IMAGE', base));
            try {
              source.write('secret.txt', 'hush\n');
              const before = new Set(filesIn(tapes));
              const { status, stderr } = await runCommand(throughGateway(source.build(programs, build), image), { cwd: source.path, env: { BUILDKIT_HOST: daemon.address } });
              expect([name, status], stderr).toEqual([name, fails?.(version) === true ? 1 : 0]);
              const made = filesIn(tapes).filter((file) => !before.has(file));
              expect([name, made.length]).toEqual([name, 1]);
              cassettes.set(name, join(tapes, made[0] ?? ''));
            } finally {
              await source.remove();
            }
          }
        } finally {
          await daemon.stop();
          await registry.stop();
        }
      });

      afterAll(() => folder.remove());

      const offline = (name: string, options: readonly string[] = [], cwd?: string): Promise<CommandResult> =>
        bridgetapeOffline(['run', cassettes.get(name) ?? '', ...options, '--', programs.dockerfileFrontend], cwd === undefined ? {} : { cwd });

      it.each(SCENARIOS.map(({ name }) => name))(`ends as recorded ${RUNS} times of ${RUNS}: %s`, async (name) => {
        await manyTimes(async (run) => {
          const { status, stderr } = await offline(name);
          expect([run, status, ownWords(stderr)], stderr).toEqual([run, 0, []]);
        }, RUNS);
      });

      it(`observes the same, to the byte, in each of ${REPLAYS} replays`, async () => {
        const name = 'several stages with a build argument';
        const recorded = observed(cassettes.get(name) ?? '');
        expect(recorded.length).toBeGreaterThan(4);
        const same = await manyTimes(async (time) => {
          const copy = join(folder.path, `observed-${time}.cassette`);
          const { status, stderr } = await bridgetapeOffline(['run', cassettes.get(name) ?? '', '--', process.execPath, TAPPED, copy, programs.dockerfileFrontend]);
          expect([time, status, ownWords(stderr)], stderr).toEqual([time, 0, []]);
          expect(observed(copy)).toEqual(recorded);
          rmSync(copy);
        });
        console.log(`${version}, dockerfile-frontend: ${same.length} of ${REPLAYS} replays observed to be the same`);
      }, REPLAYS_TIMEOUT);

      const edited = async (change: (dockerfile: string) => string, more: readonly string[] = []): Promise<CommandResult> => {
        const here: Recipe = recipe(change(STAGES));
        return await offline('several stages with a build argument', ['--context', here.path, ...more]).finally(() => here.remove());
      };

      it('is told of a changed comment, which decides nothing', async () => {
        const { status, stderr } = await edited((dockerfile) => dockerfile.replace('# says hello', '# greets'));
        expect(status, stderr).toBe(0);
        // The oldest has no source map in its definitions.
        if (!isOldest(version)) expect(ownWords(stderr).join('\n')).toMatch(/annotated otherwise than recorded.*LLBBridge\/Solve; Definition\.Source\.infos\[0\]\.data/);
      });

      it('fails with a changed command, and a miss that names the op with the old command and the new', async () => {
        const { status, stderr } = await edited((dockerfile) => dockerfile.replace('echo hello', 'echo goodbye'));
        expect(stderr).toMatch(/no answer for LLBBridge\/Solve in .*\n.*closest {3}call \d+.*\n.*differs {3}op\[\d+\] RUN echo hello \$WHO \| tee \/greeting → op\[\d+\] RUN echo goodbye \$WHO \| tee \/greeting\n/);
        expect(ownWords(stderr).at(-1)).toMatch(/the frontend did not do as recorded: 1 request had no answer in the cassette; it did not return what the recorded one returned, in call \d+; it ended with status/);
        expect(status).toBe(1);
      });

      it('fails with another build argument, and the miss names it', async () => {
        const { status, stderr } = await offline('several stages with a build argument', ['--opt', 'build-arg:WHO=me']);
        expect(stderr).toMatch(/recorded {2}"WHO=you"\n.*got {7}"WHO=me"/);
        expect(status).toBe(1);
      });

      it('fails with a syntax error that was not recorded', async () => {
        const { status, stderr } = await edited((dockerfile) => dockerfile.replace('COPY --from', 'COPI --from'), ['--file', 'Dockerfile']);
        expect(stderr).toMatch(/unknown instruction: COPI/);
        expect(ownWords(stderr).at(-1)).toMatch(/it returned something else than the recorded one/);
        expect(status).toBe(1);
      });

      it.skipIf(isOldest(version))('finds the definition that it was made of at its path, and nobody else does', async () => {
        mkdirSync(join(folder.path, 'out'), { recursive: true });
        const copy = join(folder.path, 'out', 'frontend.bin');
        const path = '/run/config/buildkit/metadata/frontend.bin';
        const cassette = cassettes.get('a syntax error') ?? '';
        const { stderr } = await bridgetapeOffline(['run', cassette, '--', '/bin/sh', '-c', `/bin/cp ${path} ${copy}; exec "$0"`, programs.dockerfileFrontend]);
        expect(ownWords(stderr)).toEqual([]);
        expect([existsSync(copy), existsSync(path)]).toEqual([true, false]);
      });
    });
  },
  versions,
);

/** The same build by a frontend's image, in place of the one that the daemon has. */
function throughGateway(build: readonly string[], image: string): readonly string[] {
  return [...build.map((word) => (word === 'dockerfile.v0' ? 'gateway.v0' : word)), '--opt', `source=${image}`];
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
