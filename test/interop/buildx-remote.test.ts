import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { authority, writeIdentity } from '../socket/certificates.js';
import {
  buildKitVersions,
  buildx,
  describeInterop,
  listening,
  MULTI_STAGE,
  progressLines,
  recipe,
  runCommand,
  shortMethod,
  shown,
  startDaemon,
  temporaryFolder,
  type CommandResult,
  type Daemon,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

const OURS = authority('ours');

describeInterop("buildx's remote driver", () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let daemon: Daemon;
    let source: Recipe;
    let program: string;
    const at = (name: string): string => join(folder.path, name);
    const run = (...args: string[]): Promise<CommandResult> => runCommand([program, ...args], { cwd: source.path, env: { DOCKER_CONFIG: at('docker') } });

    /** Builds there, and gives what was printed and what was made: from a cassette nothing is, it asks nobody to write files. */
    async function build(address: string, options = ''): Promise<{ readonly made: readonly string[]; readonly printed: readonly string[] }> {
      const created = await run('create', '--name', 'far', '--driver', 'remote', ...(options === '' ? [] : ['--driver-opt', options]), address);
      expect(created.stderr).toBe('');
      const built = await run('build', '--builder', 'far', '--no-cache', '--progress', 'plain', '--provenance=false', '--output', `type=local,dest=${at('out')}`, '.');
      expect(`${built.status ?? ''} ${built.stderr}`).toMatch(/^0 /);
      await run('rm', '--keep-daemon', 'far');
      const made = ['greeting', 'numbers'].map((name) => join(at('out'), name)).flatMap((file) => (existsSync(file) ? [readFileSync(file, 'utf8')] : []));
      rmSync(at('out'), { recursive: true, force: true });
      return { made, printed: progressLines(built.stderr) };
    }

    beforeAll(async () => {
      program = await buildx();
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      daemon = await startDaemon(version);
      // Those that follow send as little of their context as the second one.
      await build(daemon.address);
    });

    afterAll(async () => {
      await daemon.stop();
      await source.remove();
      await folder.remove();
    });

    it.each(['unix', 'tcp', 'tls'] as const)(`${version}: pointed at a recorder on %s builds what it builds without, and again from the cassette`, async (kind) => {
      const direct = await build(daemon.address);
      expect(direct.made).toEqual(['hello nobody\n', '1\n2\n3\n']);
      const front = writeIdentity(at('front'), OURS.issue('front', { names: ['127.0.0.1'] }), OURS.certificate);
      const own = writeIdentity(at('own'), OURS.issue('own', { purpose: 'client' }), OURS.certificate);
      const [listen, options] = {
        unix: [['--listen', `unix://${at('front.sock')}`], ''],
        tcp: [['--listen', 'tcp://127.0.0.1:0'], ''],
        tls: [
          ['--listen', 'tcp://127.0.0.1:0', '--listen-tlscert', front.certificate, '--listen-tlskey', front.key, '--listen-tlscacert', front.authority],
          `cacert=${own.authority},cert=${own.certificate},key=${own.key},servername=127.0.0.1`,
        ],
      }[kind] as [string[], string];
      const cassette = at(`${kind}.cassette`);
      for (const [args, made] of [
        [['record', '-o', cassette, '--to', daemon.address], direct.made],
        [['replay', cassette], []],
      ] as const) {
        const running = await listening([...args, ...listen]);
        expect(await build(running.address, options)).toEqual({ made, printed: direct.printed });
        running.command.kill('SIGTERM');
        expect((await running.command.result).status).toBe(0);
      }
      const { cassette: head, calls } = await shown(cassette);
      expect(head.state).toBe('whole');
      expect(calls.map(({ path }) => shortMethod(path))).toContain('LLBBridge/Solve');
      for (const call of calls) expect(call.gaps).toBe(0);
    });
  }
});
