import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { authority, writeIdentity, type Issue } from '../socket/certificates.js';
import {
  bridgetape,
  buildKitVersions,
  describeInterop,
  listening,
  MULTI_STAGE,
  ownWords,
  progressLines,
  recipe,
  runCommand,
  shown,
  startDaemon,
  temporaryFolder,
  withoutOwnWords,
  type CommandResult,
  type Daemon,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

const OURS = authority('ours');
const THEIRS = authority('theirs');
/** It offers `http/1.1` alone: built with a Go from 1.17 on, as here, that is the end of any gRPC client's handshake. */
const WITHOUT_HTTP2 = ['v0.8.3'];
const DAY = 24 * 60 * 60 * 1000;

describeInterop('a daemon with mutual TLS', () => {
  for (const version of buildKitVersions().filter((each) => !WITHOUT_HTTP2.includes(each))) {
    let folder: TemporaryFolder;
    let daemon: Daemon;
    let source: Recipe;
    let address: string;
    let direct: CommandResult;
    let own: Made;

    type Made = ReturnType<typeof writeIdentity>;
    const at = (name: string): string => join(folder.path, name);
    const made = (name: string, issue: Issue = {}, by = OURS): Made => writeIdentity(at(name), by.issue(name, issue), OURS.certificate);
    const build = (...global: string[]): readonly string[] => {
      const [buildctl = '', ...words] = source.build(daemon.programs, ['--no-cache']);
      return [buildctl, ...global, ...words];
    };
    const tlsOf = ({ authority: ca, certificate, key }: Made): string[] => ['--tlscacert', ca, '--tlscert', certificate, '--tlskey', key];

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      const theirs = made('daemon', { names: ['127.0.0.1', 'daemon.example'] });
      own = made('client', { purpose: 'client' });
      const port = await freePort();
      address = `tcp://127.0.0.1:${port}`;
      daemon = await startDaemon(version, { flags: ['--addr', address, ...tlsOf(theirs)] });
      // The second one sends as little of its context as those that follow.
      for (let i = 0; i < 2; i += 1) direct = await runCommand(build('--addr', address, ...tlsOf(own)), { cwd: source.path });
    });

    afterAll(async () => {
      await daemon.stop();
      await source.remove();
      await folder.remove();
    });

    it(`${version}: is recorded as it builds without a recorder, and replayed`, async () => {
      expect(direct.status).toBe(0);
      const cassette = at('plain.cassette');
      const recorded = await bridgetape(['record', '-o', cassette, '--to', address, ...tlsOf(own), '--', ...build()], { cwd: source.path });
      expect(ownWords(recorded.stderr)).toEqual([expect.stringContaining('on 1 connection')]);
      expect(progressLines(withoutOwnWords(recorded.stderr))).toEqual(progressLines(direct.stderr));
      expect([recorded.status, recorded.stdout]).toEqual([0, direct.stdout]);
      const { cassette: head, calls } = await shown(cassette);
      expect(head).toMatchObject({ state: 'whole', upstream: address });
      for (const call of calls) expect(call).toMatchObject({ gaps: 0, outcome: { kind: 'status', codeName: 'OK' } });

      const replayed = await bridgetape(['replay', cassette, '--', ...build()], { cwd: source.path });
      expect(progressLines(replayed.stderr)).toEqual(progressLines(direct.stderr));
      expect(replayed.status).toBe(0);
    });

    it(`${version}: is recorded for clients with TLS and certificates of their own, and replayed to them`, async () => {
      const front = made('front', { names: ['127.0.0.1', 'front.example'] });
      const cassette = at('tls.cassette');
      const listen = ['--listen', 'tcp://127.0.0.1:0', '--listen-tlscert', front.certificate, '--listen-tlskey', front.key, '--listen-tlscacert', front.authority];
      for (const args of [
        ['record', '-o', cassette, '--to', address, '--tlsdir', own.folder, '--tlsservername', 'daemon.example', ...listen],
        ['replay', cassette, ...listen],
      ]) {
        const running = await listening(args);
        expect(running.address).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
        const built = await runCommand(build('--addr', running.address, '--tlsservername', 'front.example', ...tlsOf(own)), { cwd: source.path });
        expect(progressLines(built.stderr)).toEqual(progressLines(direct.stderr));
        expect([built.status, built.stdout]).toEqual([0, direct.stdout]);
        running.command.kill('SIGTERM');
        const { status, stderr } = await running.command.result;
        expect(status).toBe(0);
        expect(stderr).toContain(`takes clients with a certificate that ${front.authority} signed`);
        for (const { key } of [front, own]) expect(stderr).not.toContain(key);
      }
    });

    it.each([
      ['no certificate', () => ['--tlscacert', own.authority], /it asks for a certificate|it does not take our certificate/],
      ['a certificate of another authority', () => tlsOf(made('stranger', { purpose: 'client' }, THEIRS)), /it does not (take our certificate|know the authority that signed our certificate)|unknown/],
      ['the name of another', () => [...tlsOf(own), '--tlsservername', 'elsewhere.example'], /the certificate it shows is for another name \(.*127\.0\.0\.1/],
      ['another authority for its own', () => [...tlsOf(own).slice(2), '--tlscacert', theirAuthority()], /no known authority signed the certificate it shows/],
    ] as const)(`${version}: ends a client that comes with %s, as it ends buildctl; the terminal says why`, async (_what, options, why) => {
      const refused = await runCommand([daemon.programs.buildctl, '--addr', address, ...options(), 'debug', 'workers']);
      expect(refused.status).toBe(1);
      const recorded = await bridgetape(['record', '--force', '-o', at('refused.cassette'), '--to', address, ...options(), '--', daemon.programs.buildctl, 'debug', 'workers']);
      expect(recorded.status).toBe(1);
      expect(recorded.stderr).toMatch(why);
      expect(recorded.stderr).toContain(`BuildKit at ${address}: `);
    });

    it(`${version}: is not dialled with a certificate that has expired: nothing is run`, async () => {
      const late = made('late', { purpose: 'client', to: new Date(Date.now() - DAY / 2) });
      const recorded = await bridgetape(['record', '-o', at('late.cassette'), '--to', address, ...tlsOf(late), '--', 'echo', 'ran']);
      expect([recorded.status, recorded.stdout]).toEqual([2, '']);
      expect(recorded.stderr).toContain('expired at');
    });

    const theirAuthority = (): string => {
      writeFileSync(at('theirs.pem'), THEIRS.certificate);
      return at('theirs.pem');
    };
  }
});

describeInterop('a daemon whose TLS takes no gRPC client', () => {
  it.each(buildKitVersions().filter((each) => WITHOUT_HTTP2.includes(each)))('%s: is refused by buildctl, and the recorder says why', async (version) => {
    const folder = temporaryFolder();
    const { authority: ca, certificate, key } = writeIdentity(folder.path, OURS.issue('daemon', { names: ['127.0.0.1'] }), OURS.certificate);
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const daemon = await startDaemon(version, { flags: ['--addr', address, '--tlscert', certificate, '--tlskey', key] });
    try {
      const refused = await runCommand([daemon.programs.buildctl, '--addr', address, '--tlscacert', ca, 'debug', 'workers']);
      expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('no application protocol')]);
      const recorded = await bridgetape(['record', '-o', join(folder.path, 'a.cassette'), '--to', address, '--tlscacert', ca, '--', daemon.programs.buildctl, 'debug', 'workers']);
      expect([recorded.status, recorded.stderr]).toEqual([1, expect.stringContaining(`Cannot reach BuildKit at ${address}: it does not speak HTTP/2`)]);
    } finally {
      await daemon.stop();
      await folder.remove();
    }
  });
});

/** buildkitd says in some versions only which port it was asked for. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
