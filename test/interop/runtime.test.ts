// Container frontends, recorded by an OCI runtime in front of runc, under real daemons.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  buildKitVersions,
  describeInterop,
  FAILING,
  FRONTEND_VERSIONS,
  MULTI_STAGE,
  progressLines,
  pushFrontendImage,
  recipe,
  runCommand,
  shortMethod,
  shown,
  startCommand,
  startDaemon,
  startRegistry,
  temporaryFolder,
  type CommandResult,
  type Daemon,
  type Recipe,
  type Registry,
  type RunningCommand,
  type TemporaryFolder,
} from './harness/index.js';

const versions = buildKitVersions(FRONTEND_VERSIONS);

/** What a build of one Dockerfile makes of calls; how many files are looked for depends on the version. */
const METHODS = ['LLBBridge/Inputs', 'LLBBridge/Ping', 'LLBBridge/ReadFile', 'LLBBridge/Return', 'LLBBridge/Solve'];

/** A step whose Dockerfile sets what a frontend is told. */
const IMPOSTOR = `FROM scratch
COPY busybox /bin/busybox
ENV BUILDKIT_SESSION_ID=none BUILDKIT_WORKERS=[]
RUN ["/bin/busybox", "sh", "-c", "echo told of $BUILDKIT_SESSION_ID"]
`;

describeInterop(
  'the OCI runtime that records container frontends',
  () => {
    describe.each(versions)('%s', (version) => {
      let folder: TemporaryFolder;
      let registry: Registry;
      let without: Daemon;
      let daemon: Daemon;
      let image: string;
      const tapes = (): string => join(folder.path, "tapes' folder");
      const runtime = (): string => join(folder.path, 'bridgetape runc');
      const recipes: Recipe[] = [];

      beforeAll(async () => {
        folder = temporaryFolder('bt-runtime-');
        registry = await startRegistry();
        const made = await bridgetape(['runtime', '--dir', tapes(), '--install', runtime()]);
        expect(made.stderr).toContain('--oci-worker-binary=');
        // One of its own: the others have nothing in their caches then.
        const pushing = await startDaemon(version, { config: registry.daemonConfig });
        image = await pushFrontendImage(pushing, registry).finally(() => pushing.stop());
        without = await startDaemon(version, { config: registry.daemonConfig });
        daemon = await startDaemon(version, { config: registry.daemonConfig, flags: [`--oci-worker-binary=${runtime()}`] });
      });

      afterAll(async () => {
        for (const one of recipes) await one.remove();
        await daemon.stop();
        await without.stop();
        await registry.stop();
        await folder.remove();
      });

      const withFrontend = (dockerfile: string): Recipe => {
        const made = recipe(`# syntax=${image}\n${dockerfile}`);
        recipes.push(made);
        return made;
      };
      const build = (source: Recipe, on: Daemon, more: readonly string[] = []): Promise<CommandResult> =>
        runCommand(source.build(on.programs, more), { cwd: source.path, env: { BUILDKIT_HOST: on.address } });
      /** The cassettes that the work leaves. */
      const left = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
        const before = new Set(cassettesIn(tapes()));
        await work();
        return cassettesIn(tapes()).filter((path) => !before.has(path));
      };

      it('leaves a build as it is: what it prints, how it ends, what comes out', async () => {
        const source = withFrontend(MULTI_STAGE);
        const out = (name: string): readonly string[] => ['--opt', 'build-arg:WHO=you', '--output', `type=local,dest=${join(folder.path, name)}`];
        const plain = await build(source, without, out('plain'));
        const recorded = await build(source, daemon, out('recorded'));
        expect(progressLines(plain.stderr).join('\n')).toContain('hello you');
        expect(printed(recorded)).toEqual(printed(plain));
        expect([recorded.status, recorded.stdout]).toEqual([0, plain.stdout]);
        expect(contents(join(folder.path, 'recorded'))).toEqual(contents(join(folder.path, 'plain')));
        expect(contents(join(folder.path, 'recorded'))).toMatchObject({ greeting: 'hello you\n' });
      });

      it("leaves a cassette of the frontend's run, and none of a step's", async () => {
        const source = withFrontend(MULTI_STAGE);
        const [path = '', ...others] = await left(() => build(source, daemon, ['--no-cache', '--opt', 'build-arg:WHO=me']));
        expect(others).toEqual([]);
        const { cassette, calls } = await shown(path);
        expect(cassette).toMatchObject({
          state: 'whole',
          upstream: 'stdio:',
          frontend: { arguments: ['/bin/dockerfile-frontend'], directory: '/', user: { uid: 0, gid: 0 }, exit: { status: 0 } },
        });
        expect(cassette.frontend?.environment).toEqual(expect.arrayContaining([expect.stringMatching(/^BUILDKIT_FRONTEND_OPT_\d+=build-arg:WHO=me$/), expect.stringMatching(/^BUILDKIT_SESSION_ID=\w{25}$/)]));
        const session = cassette.frontend?.environment.find((entry) => entry.startsWith('BUILDKIT_SESSION_ID='))?.split('=')[1];
        expect(path).toContain(`Z-${session}.cassette`);
        const hasMetadata = version !== 'v0.8.3';
        expect(cassette.frontend?.files.map((file) => file.path)).toEqual(hasMetadata ? ['/run/config/buildkit/metadata/frontend.bin'] : []);
        // Early versions do not say which they are.
        expect(cassette.buildkitVersion).toBe(hasMetadata ? version : undefined);
        expect([...new Set(calls.map((call) => shortMethod(call.path)))].sort()).toEqual(METHODS);
        expect(calls.map(({ outcome, gaps }) => [outcome.kind, gaps])).toEqual(calls.map(() => ['status', 0]));
        expect(calls.at(-1)).toMatchObject({ path: '/moby.buildkit.v1.frontend.LLBBridge/Return', outcome: { codeName: 'OK' } });
        expect(await bridgetape(['verify', path])).toMatchObject({ status: 0 });
      });

      it('leaves a step that fails as it is, with its exit code and its output', async () => {
        const source = withFrontend(FAILING);
        const plain = await build(source, without);
        const cassettes = await left(async () => {
          const recorded = await build(source, daemon);
          expect(printed(recorded)).toEqual(printed(plain));
          expect(recorded.status).toBe(1);
          expect(recorded.stderr).toContain('exit code: 7');
          expect(recorded.stderr).toContain('no more of this');
        });
        expect(cassettes).toHaveLength(1);
      });

      it('takes no step for a frontend, whatever its environment says', async () => {
        const source = withFrontend(IMPOSTOR);
        const cassettes = await left(async () => {
          const { stderr, status } = await build(source, daemon);
          expect(stderr).toContain('told of none');
          expect(status).toBe(0);
        });
        expect(cassettes).toHaveLength(1);
      });

      it('leaves six cassettes of six builds side by side', async () => {
        const source = withFrontend(MULTI_STAGE);
        const cassettes = await left(async () => {
          const ended = await Promise.all(Array.from({ length: 6 }, (_, i) => build(source, daemon, ['--no-cache', '--opt', `build-arg:WHO=number ${i}`])));
          expect(ended.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, 0]);
        });
        const all = await Promise.all(cassettes.map((path) => shown(path)));
        expect(all.map(({ cassette }) => cassette.state)).toEqual(Array.from({ length: 6 }, () => 'whole'));
        const who = all.map(({ cassette }) => /WHO=(number \d)/.exec(cassette.frontend?.environment.join('\n') ?? '')?.[1]);
        expect(who.sort()).toEqual(Array.from({ length: 6 }, (_, i) => `number ${i}`));
      });

      describe('in the middle of a call', () => {
        let silence: Silence;
        beforeAll(async () => {
          silence = await startSilence();
        });
        afterAll(() => silence.stop());

        /** A build whose frontend waits for an answer that never comes. */
        const waiting = async (): Promise<RunningCommand> => {
          const source = withFrontend(FAILING);
          const asked = silence.asked();
          const running = startCommand(source.build(daemon.programs, ['--opt', `context=${silence.url}`, '--opt', 'source=' + image, '--opt', 'cmdline=' + image]).map((word) => (word === 'dockerfile.v0' ? 'gateway.v0' : word)), {
            cwd: source.path,
            env: { BUILDKIT_HOST: daemon.address },
          });
          running.result.catch(() => undefined);
          await Promise.race([asked, running.result.then(({ stderr }) => Promise.reject(new Error(`the build ended: ${stderr}`)))]);
          return running;
        };
        const expectInterrupted = async (path: string): Promise<void> => {
          const verdict = await bridgetape(['verify', path]);
          expect(verdict.stdout).toContain('interrupted');
          expect(verdict.status).toBe(1);
          const { cassette, calls } = await shown(path);
          expect(cassette).toMatchObject({ state: 'interrupted', frontend: { arguments: ['/bin/dockerfile-frontend'] } });
          expect(calls.some((call) => shortMethod(call.path) === 'LLBBridge/Ping' && call.outcome.codeName === 'OK')).toBe(true);
          expect(calls.some(({ outcome }) => outcome.kind === 'open')).toBe(true);
          expect(calls.some((call) => shortMethod(call.path) === 'LLBBridge/Return')).toBe(false);
        };

        it('leaves a readable, interrupted cassette when the build is cancelled', async () => {
          const [path = '', ...others] = await left(async () => {
            const running = await waiting();
            running.kill('SIGINT');
            expect((await running.result).status).toBe(1);
            await silence.left();
          });
          expect(others).toEqual([]);
          await untilNobodyRuns(runtimesOf(tapes()));
          await expectInterrupted(path);
        });

        it('leaves one when the runtime itself is killed, and nothing of it runs on', async () => {
          const [path = ''] = await left(async () => {
            const running = await waiting();
            await untilRecorded(cassettesIn(tapes()).at(-1) ?? '');
            const pids = runtimesOf(tapes());
            expect(pids).toHaveLength(1);
            const all = pids.flatMap((pid) => [pid, ...childrenOf(pid)]);
            expect(all.length).toBeGreaterThan(1);
            for (const pid of pids) process.kill(pid, 'SIGKILL');
            await untilNobodyRuns(all);
            running.kill('SIGINT');
            await running.result;
          });
          await expectInterrupted(path);
          expect((await build(withFrontend(FAILING), daemon)).stderr).toContain('exit code: 7');
        });
      });

      describe('when it cannot record', () => {
        const expectUnrecorded = async (why: string): Promise<void> => {
          const source = withFrontend(MULTI_STAGE);
          const said = daemon.logs().length;
          const cassettes = await left(async () => {
            const { status, stderr } = await build(source, daemon, ['--no-cache', '--opt', 'build-arg:WHO=them']);
            expect([status, progressLines(stderr).join('\n').includes('hello them')]).toEqual([0, true]);
          });
          expect(cassettes).toEqual([]);
          const words = daemon.logs().slice(said).split('\n').filter((line) => line.startsWith('bridgetape: '));
          expect(words).toHaveLength(1);
          expect(words[0]).toContain(why);
        };

        it('builds, and the log says that the folder is gone', async () => {
          renameSync(tapes(), `${tapes()}.away`);
          try {
            await expectUnrecorded('there is no folder');
          } finally {
            renameSync(`${tapes()}.away`, tapes());
          }
        });

        it('builds, and the log says that Node has moved', async () => {
          const script = readFileSync(runtime(), 'utf8');
          writeFileSync(runtime(), script.replace(/^bridgetape_node=.*$/m, 'bridgetape_node=/nowhere/node'));
          try {
            await expectUnrecorded('Node is not at /nowhere/node any more');
          } finally {
            writeFileSync(runtime(), script);
          }
        });
      });
    });
  },
  versions,
);

/** What the client printed, but how much of the frontend's image the daemon still had. */
function printed({ stderr }: CommandResult): readonly string[] {
  return progressLines(stderr).map((vertex) => (vertex.startsWith('docker-image://') ? (vertex.split('\n')[0] ?? '') : vertex));
}

function cassettesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.cassette')).sort().map((name) => join(folder, name));
}

function contents(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The processes that record to the folder, as the script has started them. */
function runtimesOf(folder: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    const words = procFile(pid, 'cmdline').split('\0');
    return words[1]?.endsWith('/frontend.cjs') === true && words[2] === folder;
  });
}

function childrenOf(pid: number): readonly number[] {
  return procFile(pid, `task/${pid}/children`).split(' ').filter((word) => word !== '').map(Number);
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

/** One that has ended and that its parent, the daemon, has not looked after yet does not run. */
function runs(pid: number): boolean {
  return /^State:\t[^ZX]/m.test(procFile(pid, 'status'));
}

async function untilNobodyRuns(pids: readonly number[]): Promise<void> {
  while (pids.some(runs)) await new Promise((done) => setTimeout(done, 10));
}

/** Until the journal has a call without an end: it comes to the disk within 100 ms. */
async function untilRecorded(path: string): Promise<void> {
  while (!(await shown(path)).calls.some((call) => call.outcome.kind === 'open' && shortMethod(call.path) !== 'LLBBridge/Ping')) await new Promise((done) => setTimeout(done, 10));
}

interface Silence {
  readonly url: string;
  /** Resolves when the next request has come. */
  asked(): Promise<void>;
  /** Resolves when nobody waits any more. */
  left(): Promise<void>;
  stop(): Promise<void>;
}

/** An HTTP server that takes requests and never answers. */
async function startSilence(): Promise<Silence> {
  let came = (): void => undefined;
  let gone = (): void => undefined;
  let waitingNow = 0;
  const server: Server = createServer((request) => {
    waitingNow++;
    request.socket.once('close', () => {
      waitingNow--;
      if (waitingNow === 0) gone();
    });
    came();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/context.tar`,
    asked: () =>
      new Promise((resolve) => {
        came = resolve;
      }),
    left: () =>
      new Promise((resolve) => {
        gone = resolve;
        if (waitingNow === 0) resolve();
      }),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
