import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  describeDocker,
  MULTI_STAGE,
  ownWords,
  progressLines,
  recipe,
  runCommand,
  shown,
  shownEvents,
  startBridgetape,
  startCommand,
  startDocker,
  temporaryFolder,
  withoutOwnWords,
  type CommandOptions,
  type CommandResult,
  type Docker,
  type Recipe,
  type RunningCommand,
  type TemporaryFolder,
} from './harness/index.js';

/** Nothing of it may be in any cassette. */
const SECRET = 'hunter2';
const AUTH = Buffer.from(`me:${SECRET}`).toString('base64');

const BAKE_FILE = `
group "default" { targets = ["one", "two"] }
target "one" {
  network = "host"
  args = { WHO = "one" }
}
target "two" {
  dockerfile-inline = "FROM scratch\\nCOPY docker-bake.hcl /\\n"
}
`;

const BUILDS = {
  'docker build': ['docker', 'build', '--progress=plain', '--network=host', '--no-cache', '.'],
  'docker buildx bake': ['docker', 'buildx', 'bake', '--progress=plain', '--allow=network.host', '--no-cache'],
} as const;
type BuildName = keyof typeof BUILDS;

const REPLAYS = 5;
const IMAGE = 'bt-tools';

describeDocker('docker build', () => {
  let docker: Docker;
  let folder: TemporaryFolder;
  let source: Recipe;
  const file = (name: string): string => join(folder.path, `${name.replaceAll(' ', '-')}.cassette`);
  /** With the engine at that address. */
  const at = (address: string, more: CommandOptions = {}): CommandOptions => ({ cwd: source.path, ...more, env: { ...docker.env, DOCKER_HOST: address, ...more.env } });

  beforeAll(async () => {
    folder = temporaryFolder();
    source = recipe(MULTI_STAGE);
    source.write('docker-bake.hcl', BAKE_FILE);
    docker = await startDocker({ auths: { 'localhost:1': AUTH } });
  });

  afterAll(async () => {
    await docker.stop();
    await docker.remove();
    await source.remove();
    await folder.remove();
  });

  describe('through a recorder', () => {
    const recorded = new Map<BuildName, CommandResult>();

    for (const [name, command] of Object.entries(BUILDS) as [BuildName, readonly string[]][]) {
      it(`${name} prints and ends the same`, async () => {
        const plain = await runCommand(command, at(docker.address));
        const taped = await bridgetape(['record', '-o', file(name), '--', ...command], at(docker.address));
        recorded.set(name, taped);
        expect([plain.status, taped.status]).toEqual([0, 0]);
        expect(plain.stderr).toContain('counting to 3');
        // The engine keeps a context, and is sent what differs.
        const unsized = (progress: string): string => progress.replace(/transferring (\w+): \S+/g, 'transferring $1');
        expect(steps(unsized(withoutOwnWords(taped.stderr)), 'hide')).toEqual(steps(unsized(plain.stderr), 'hide'));
        expect(taped.stdout).toBe(plain.stdout);
      });

      it(`${name} has every call in the cassette, each build as one of its own`, async () => {
        const { cassette, calls } = await shown(file(name));
        expect(cassette.state).toBe('whole');
        const solved = new Set(calls.filter(({ path }) => path === '/moby.buildkit.v1.Control/Solve').map(({ build }) => build));
        // buildx asks what the engine can do with a build that does nothing, on the connection of those that follow.
        expect(solved.size).toBeGreaterThanOrEqual(name === 'docker build' ? 2 : 3);
        expect(new Set(cassette.builds.map(({ ref }) => ref))).toEqual(solved);
        const methods = new Set(calls.map(({ method, path }) => `${method ?? ''} ${path.replace(/^\/v[\d.]+/, '')}`));
        for (const needed of ['HEAD /_ping', 'POST /grpc', 'POST /session', ' /moby.buildkit.v1.frontend.LLBBridge/Solve']) expect(methods).toContain(needed);
        for (const call of calls) expect(call.gaps, `call ${call.call}`).toBe(0);
        expect((await bridgetape(['verify', file(name)])).status).toBe(0);
        const text = (await bridgetape(['show', file(name)])).stdout;
        expect(text).toContain('HEAD /_ping');
        expect(text).toContain('HTTP 101');
      });
    }

    it('other commands get what the engine gives them, to the byte', async () => {
      expect((await runCommand(['docker', 'build', '--quiet', '--network=host', '--target=tools', '-t', IMAGE, '.'], at(docker.address))).status).toBe(0);
      const { recorder, address } = await recordAside(docker, file('others'), source);
      try {
        const plain = await series(at(docker.address));
        const taped = await series(at(address));
        for (const [command, result] of plain) expect(taped.get(command), command).toEqual(result);
        expect(plain.get('exec -i')?.stdout).toBe(digest(stdin()));
        expect(plain.get('run -i')?.stdout).toBe('from stdin\n');
        expect(plain.get('attach')?.stdout).toBe('attached: hello\n');
      } finally {
        recorder.kill('SIGTERM');
        await recorder.result;
      }
      const { cassette, calls } = await shown(file('others'));
      expect(cassette.state).toBe('whole');
      for (const call of calls) expect(call.gaps, `${call.method ?? ''} ${call.path}`).toBe(0);
    });

    it("keeps no secret: not of a build by the engine's own API, not of registries, not of other answers", async () => {
      source.write('Dockerfile.arg', `FROM scratch\nARG TOKEN\nLABEL token=$TOKEN\n`);
      const legacy = ['docker', 'build', '--build-arg', `TOKEN=${SECRET}`, '-f', 'Dockerfile.arg', '-t', 'bt-secret', '.'];
      // Without buildx: its plugin stands in the configuration's folder, and so do the credentials.
      const config = temporaryFolder();
      writeFileSync(join(config.path, 'config.json'), JSON.stringify({ auths: { 'localhost:1': { auth: AUTH } } }));
      const run = (command: readonly string[]): Promise<CommandResult> =>
        bridgetape(['record', '--force', '--no-command', '-o', file('secret'), '--', ...command], at(docker.address, { env: { DOCKER_CONFIG: config.path, DOCKER_BUILDKIT: '0' } }));
      const build = await run(legacy);
      expect(build.status, build.stderr).toBe(0);
      const events = await shownEvents(file('secret'));
      const fields = events.flatMap(({ headers }) => headers ?? []);
      expect(fields).toContainEqual({ name: 'x-registry-config', value: '(redacted)' });
      expect(fields.find(({ name, value }) => name === ':path' && value?.includes('/build?'))?.value).toContain('buildargs=(redacted)');
      expect(everySpelling(events)).toEqual([]);
      const inspect = await run(['docker', 'image', 'inspect', 'bt-secret']);
      expect(inspect.stdout).toContain(SECRET);
      expect(everySpelling(await shownEvents(file('secret')))).toEqual([]);
      await config.remove();
    });

    describe('and the engine stopped', () => {
      beforeAll(() => docker.stop());

      for (const [name, command] of Object.entries(BUILDS) as [BuildName, readonly string[]][]) {
        it(`${name} replays ${REPLAYS} times in a row`, async () => {
          const before = withoutOwnWords(recorded.get(name)?.stderr ?? '');
          expect(images(before)).toHaveLength(name === 'docker build' ? 1 : 2);
          for (let i = 0; i < REPLAYS; i++) {
            const replayed = await bridgetape(['replay', file(name), '--', ...command], at(docker.address));
            expect(ownWords(replayed.stderr)).toEqual([]);
            expect(steps(replayed.stderr, 'keep')).toEqual(steps(before, 'keep'));
            expect(images(replayed.stderr)).toEqual(images(before));
            expect(replayed.status).toBe(0);
          }
        });
      }

      it('a request that the cassette cannot answer is a miss, told to the command as the engine tells errors', async () => {
        const images = await bridgetape(['replay', file('docker build'), '--', 'sh', '-c', 'docker images; true'], at(docker.address));
        expect(images.status).toBe(3);
        expect(images.stderr).toMatch(/^bridgetape: no answer for GET \/v[\d.]+\/images\/json of the Docker Engine: the cassette holds no request like it$/m);
        expect(images.stderr).toMatch(/^Error response from daemon: bridgetape: no answer for GET/m);
      });
    });
  });
});

/** All exports of one bake are one vertex, with their lines in any order and any number. */
const EXPORT = /exporting to image/;

/** What was printed, but for exports. */
function steps(progress: string, digests: 'keep' | 'hide'): readonly string[] {
  return progressLines(progress, { digests }).filter((vertex) => !EXPORT.test(vertex));
}

/** What was exported. */
function images(progress: string): readonly string[] {
  return [...new Set([...progress.matchAll(/writing image (sha256:[0-9a-f]{64}).* done$/gm)].map(([, id = '']) => id))].sort();
}

async function recordAside(docker: Docker, output: string, { path }: Recipe): Promise<{ readonly recorder: RunningCommand; readonly address: string }> {
  const recorder = startBridgetape(['record', '--docker', docker.address, '-o', output], { cwd: path, env: docker.env });
  const [, address = ''] = await recorder.until(/for Docker's clients on (\S+),/);
  return { recorder, address };
}

/** More than any buffer on its way holds, and every octet. */
function stdin(): Buffer {
  return Buffer.from(Uint8Array.from({ length: 2_000_003 }, (_value, index) => (index * 7 + (index >> 8)) & 0xff));
}

const digest = (bytes: Uint8Array): string => `${createHash('sha256').update(bytes).digest('hex')}  -\n`;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands of every kind of exchange, by name, with what they gave. */
async function series(options: CommandOptions): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const keep = (name: string, { status, stdout, stderr }: CommandResult): void => {
    // The one list that the command line prints in an order of its own.
    outcomes.set(name, { status, stdout: stdout.replace(/^ Runtimes: .*$/m, (line) => line.split(' ').sort().join(' ')), stderr });
  };
  const run = async (name: string, args: readonly string[], input: string | Uint8Array = ''): Promise<void> => {
    keep(name, await runCommand(['docker', ...args], { ...options, input }));
  };
  const container = ['--network=none', '--name=bt'];
  await run('version', ['version']);
  await run('info', ['info']);
  // One: images of the same second are listed in any order.
  await run('images', ['images', '--no-trunc', '--format={{.ID}} {{.Repository}} {{.Size}}', IMAGE]);
  await run('ps', ['ps', '--all']);
  await run('inspect', ['image', 'inspect', IMAGE]);
  await run('inspect nothing', ['image', 'inspect', 'nothing-of-this-name']);
  await run('history', ['history', '--format={{.CreatedBy}} {{.Size}}', IMAGE]);
  await run('save', ['save', IMAGE]);
  await run('run -i', ['run', '--rm', '-i', ...container, IMAGE, 'sh', '-c', 'cat; echo failed >&2; exit 3'], 'from stdin\n');
  await run('run', ['run', '--rm', ...container, IMAGE, 'sh', '-c', 'seq 1 50000']);
  await runCommand(['docker', 'run', '-d', '-i', ...container, IMAGE, 'sh', '-c', 'read x; echo "attached: $x"; read x; exit 0'], { ...options, input: '' });
  await run('exec -i', ['exec', '-i', 'bt', 'sha256sum'], stdin());
  await run('exec', ['exec', 'bt', 'sh', '-c', 'echo out; echo err >&2; exit 4']);
  // An end of stdin can overtake what the container prints: docker attach goes, then.
  const attached = startCommand(['docker', 'attach', 'bt'], options);
  attached.write('hello\n');
  await attached.until(/attached: hello/);
  attached.write('bye\n');
  keep('attach', await attached.result);
  await run('wait', ['wait', 'bt']);
  await run('logs -f', ['logs', '-f', 'bt']);
  await run('cp', ['cp', 'bt:/bin/busybox', '-']);
  await run('rm', ['rm', 'bt']);
  await run('events', ['events', '--since=1', '--until=2']);
  return outcomes;
}

/** Where the secret stands in what a cassette holds: as it is, in base64, or within the registry's. */
function everySpelling(events: readonly object[]): readonly string[] {
  const text = JSON.stringify(events);
  const inBase64 = [...text.matchAll(/[A-Za-z0-9+/_-]{12,}={0,2}/g)].map(([run]) => Buffer.from(run, 'base64').toString('latin1')).join('\n');
  return [SECRET, AUTH].filter((spelling) => text.includes(spelling) || inBase64.includes(spelling));
}
