// Real clients in each kind of fault: BuildKit's own, a frontend on its Go client, and gRPC's in Go and Node. They end,
// with an error or with a retry that the cassette answers; a client that hangs is killed by the harness, and fails here.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  buildBridgetape,
  buildKitVersions,
  clientCommand,
  describeClients,
  describeInterop,
  goFrontend,
  listening,
  MULTI_STAGE,
  recipe,
  startCommand,
  startDaemon,
  startEchoServer,
  temporaryFolder,
  type CommandResult,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

const cassettes = join(import.meta.dirname, '..', '..', 'cassettes');

const withFaults = (specs: readonly string[]): string[] => specs.flatMap((spec) => ['--fault', spec]);

/** What Status ends with. */
const WAITED = 'desc = bridgetape: for 1 s the client waited with calls of the build';

describeInterop('BuildKit in faults', () => {
  let folder: TemporaryFolder;
  let source: Recipe;

  beforeAll(() => {
    folder = temporaryFolder();
    source = recipe(MULTI_STAGE);
  });
  afterAll(async () => {
    await folder.remove();
    await source.remove();
  });

  for (const version of buildKitVersions()) {
    describe(version, () => {
      let build: readonly string[];
      let cassette: string;

      beforeAll(async () => {
        cassette = join(folder.path, `${version}.cassette`);
        const daemon = await startDaemon(version);
        try {
          build = source.build(daemon.programs);
          const recorded = await bridgetape(['record', '-o', cassette, '--', ...build], { cwd: source.path, env: { BUILDKIT_HOST: daemon.address } });
          expect([recorded.status, recorded.stderr]).toEqual([0, expect.any(String)]);
        } finally {
          await daemon.stop();
        }
      });

      const replay = (specs: readonly string[], options: readonly string[] = []): Promise<CommandResult> =>
        bridgetape(['replay', ...withFaults(specs), ...options, cassette, '--', ...build], { cwd: source.path });

      it.each([
        ['Control/Solve=UNAVAILABLE:no daemon today', /no daemon today/],
        ['Control/Solve=OK', /error/i],
        ['Control/Solve=end', /error/i],
        ['Control/Solve=RST_STREAM:REFUSED_STREAM', /REFUSED_STREAM|refused/i],
        ['Control/Solve=RST_STREAM:INTERNAL_ERROR', /INTERNAL_ERROR|Internal/],
        ['Control/Solve=GOAWAY:ENHANCE_YOUR_CALM', /ENHANCE_YOUR_CALM|Unavailable|closing|error/],
        ['Control/Solve=reset', /error/i],
        ['Status@1message=INTERNAL:lost track', /lost track/],
        ['Status@300B=end', /error/i],
        ['Status@1message=RST_STREAM', /INTERNAL_ERROR|Internal/],
        ['Status@1message=reset', /error/i],
      ])('buildctl ends with an error in %s', async (spec, said) => {
        const { status, stderr } = await replay([spec], ['--stall', '1']);
        // Where the fault kept a Solve away, Status waits for one until it is given up: which of its two calls' errors buildctl tells is a race.
        if (!spec.startsWith('Control/Solve') || !stderr.includes(WAITED)) expect(stderr).toMatch(said);
        expect(stderr).not.toContain('never fired');
        expect(status).not.toBe(0);
      });

      it.each([['Control/Solve=delay:200ms'], ['Status=delay-each:5ms'], ['Session=slow-read:64KiB/s'], ['Status=delay:300ms', 'Control/Solve=delay:500ms']])('buildctl builds in %s as ever', async (...specs) => {
        const { status, stderr } = await replay(specs);
        expect(stderr).not.toContain('bridgetape:');
        expect(status).toBe(0);
      });

      // A Solve of v0.8 is answered before a fault can come between.
      it.skipIf(version === 'v0.8.3')('buildctl that is interrupted gives up a Solve that hangs', async () => {
        const { command: replaying, address } = await listening(['replay', '--fault', 'Control/Solve@0ms=hang', cassette]);
        const building = startCommand(build, { cwd: source.path, env: { BUILDKIT_HOST: address } });
        // All of its steps are on the screen, and it waits for the end.
        await building.until(/^#\d+ DONE/m);
        building.kill('SIGINT');
        expect((await building.result).status).not.toBe(0);
        replaying.kill('SIGTERM');
        expect((await replaying.result).stderr).not.toContain('never fired');
      });
    });
  }

  describe('a frontend on the Go client', () => {
    const cassette = join(cassettes, 'dialogue-v0.32.2.cassette');
    let frontend: readonly string[];
    /** It gives up by itself when its process says nothing more. */
    let impatient: readonly string[];

    beforeAll(async () => {
      // The address is what was recorded: nobody answers there.
      frontend = [await goFrontend(), '--scenario', 'dialogue', '--busybox-url', 'http://127.0.0.1:38417/busybox', '--timeout', '20s'];
      impatient = [...frontend.slice(0, -1), '3s'];
    });

    const replay = (specs: readonly string[], run = frontend): Promise<CommandResult> => bridgetape(['replay', ...withFaults(specs), cassette, '--', ...run]);

    it.each([
      ['LLBBridge/Solve=UNAVAILABLE:try later', /try later/],
      ['Ping=UNIMPLEMENTED', /Unimplemented|UNIMPLEMENTED|unimplemented/],
      ['Ping=hang', /deadline/i],
      ['NewContainer=RST_STREAM', /INTERNAL_ERROR|Internal/],
      ['NewContainer=end', /error|status|Unknown|trailers/i],
      ['NewContainer=GOAWAY:PROTOCOL_ERROR', /frontend: /],
      ['ExecProcess=UNAVAILABLE', /frontend: /],
      ['ExecProcess@3messages=INTERNAL:the daemon fell over', /frontend: /],
      ['ExecProcess@3messages=hang', /DeadlineExceeded/],
      ['ExecProcess@120B=end', /frontend: /],
      ['ExecProcess@4messages=RST_STREAM:CANCEL', /frontend: /],
      ['ExecProcess@2messages=reset', /frontend: /],
      ['ExecProcess@0ms=reset', /frontend: /],
      ['Return=UNAVAILABLE', /frontend: /],
    ])('ends with an error in %s', async (spec, said) => {
      const { status, stderr } = await replay([spec], impatient);
      expect(stderr).toMatch(said);
      expect(stderr).not.toContain('never fired');
      expect(status).toBe(1);
    });

    it.each([['ExecProcess=delay-each:20ms'], ['LLBBridge/Solve=delay:300ms'], ['ExecProcess=slow-read:1KiB/s'], ['LLBBridge/Solve=GOAWAY']])('builds in %s as ever', async (...specs) => {
      const { status, stderr } = await replay(specs);
      expect([status, stderr]).toEqual([0, '']);
    });

    it('that never meets a fault has tested nothing', async () => {
      const { status, stderr } = await replay(['ReadFile#2=UNAVAILABLE', 'ExecProcess#3=reset']);
      expect(stderr).toBe(
        'bridgetape: the fault ReadFile#2=UNAVAILABLE never fired: its method was not called\n' + 'bridgetape: the fault ExecProcess#3=reset never fired: its method was called 1 time\n',
      );
      expect(status).toBe(3);
    });
  });
});

describeClients('gRPC clients in faults', () => {
  let folder: TemporaryFolder;

  beforeAll(() => {
    buildBridgetape();
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  describe.each(['grpc-go', 'grpc-js'] as const)('%s', (stack) => {
    let client: readonly string[];
    let cassette: string;

    beforeAll(async () => {
      client = await clientCommand(stack);
      cassette = join(folder.path, `${stack}.cassette`);
      const server = await startEchoServer(join(folder.path, `${stack}.sock`));
      try {
        expect((await bridgetape(['record', '-o', cassette, '--to', server.unix, '--', ...client, 'server-stream'])).status).toBe(0);
      } finally {
        await server.stop();
      }
    });

    /** The codes of its calls. */
    const codes = async (...specs: string[]): Promise<unknown> => {
      const { stdout, stderr } = await bridgetape(['replay', ...withFaults(specs), cassette, '--', ...client, 'server-stream']);
      expect(stderr).not.toContain('never fired');
      const { calls } = JSON.parse(stdout) as { readonly calls: readonly { readonly code: number }[] };
      return calls.map(({ code }) => code);
    };

    it.each([
      ['*#3=UNAVAILABLE', 14],
      ['*#3@1message=DATA_LOSS', 15],
      ['*#3@1B=RST_STREAM:ENHANCE_YOUR_CALM', 8],
      ['*#3@1message=RST_STREAM:CANCEL', 1],
      ['*#3@1message=reset', 14],
      ['*#3=GOAWAY', 0],
      ['*#3=delay:100ms', 0],
      ['*#3=delay-each:10ms', 0],
      ['*#3=slow-read:1KiB/s', 0],
    ])('sees in %s the status %d', async (spec, code) => {
      expect(await codes(spec)).toMatchObject({ 2: code });
    });

    it.each(['*#3=end', '*#3@1message=end', '*#3@1message=GOAWAY:INTERNAL_ERROR'])('sees in %s an error', async (spec) => {
      expect(await codes(spec)).not.toMatchObject({ 2: 0 });
    });
  });
});
