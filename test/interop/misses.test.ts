import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  bridgetape,
  buildKit,
  buildKitVersions,
  busyboxDir,
  describeInterop,
  goFrontend,
  MULTI_STAGE,
  ownWords,
  recipe,
  startDaemon,
  temporaryFolder,
  type Recipe,
  type TemporaryFolder,
} from './harness/index.js';

describeInterop('what was not recorded', () => {
  for (const version of buildKitVersions()) {
    let folder: TemporaryFolder;
    let source: Recipe;
    let build: readonly string[];
    let solve: readonly string[];
    let dialogue: readonly string[];
    const at = (name: string): string => join(folder.path, name);

    beforeAll(async () => {
      folder = temporaryFolder();
      source = recipe(MULTI_STAGE);
      const daemon = await startDaemon(version);
      try {
        build = source.build(daemon.programs);
        solve = [await goFrontend(), '--scenario', 'solve', '--busybox-dir', busyboxDir()];
        const env = { BUILDKIT_HOST: daemon.address };
        expect((await bridgetape(['record', '-o', at('build.cassette'), '--', ...build], { cwd: source.path, env })).status).toBe(0);
        expect((await bridgetape(['record', '-o', at('solve.cassette'), '--', ...solve], { env })).status).toBe(0);
        dialogue = [await goFrontend(), '--scenario', 'dialogue', '--busybox-dir', busyboxDir()];
        expect((await bridgetape(['record', '-o', at('dialogue.cassette'), '--', ...dialogue], { env })).status).toBe(0);
      } finally {
        await daemon.stop();
      }
    });

    afterAll(async () => {
      await folder.remove();
      await source.remove();
    });

    it(`${version}: an option of a build is missed by name, with the call that comes closest`, async () => {
      const { status, stderr } = await bridgetape(['replay', at('build.cassette'), '--', ...build, '--opt', 'build-arg:WHO=somebody'], { cwd: source.path });
      expect(ownWords(stderr)).toHaveLength(2);
      expect(ownWords(stderr)[1]).toMatch(/^bridgetape: not asked for, of what \S+ holds: Control\/Solve \(call \d+\)/);
      expect(ownWords(stderr)[0]).toBe(`bridgetape: no answer for Control/Solve in ${at('build.cassette')}`);
      expect(stderr).toMatch(/^ {2}closest {3}call \d+, not used yet\n {2}differs {3}FrontendAttrs\["build-arg:WHO"\]\n {14}recorded {2}nothing\n {14}got {7}"somebody"\n {2}record {4}bridgetape record -o .*--opt build-arg:WHO=somebody$/m);
      // The client got it too, as its error.
      expect(stderr).toMatch(/^error: .*build-arg:WHO/m);
      expect(status).toBe(1);
    });

    it(`${version}: a miss counts even when the command shrugs it off`, async () => {
      const { status, stderr } = await bridgetape(['replay', at('build.cassette'), '--', 'sh', '-c', '"$@"; exit 0', 'sh', ...build, '--no-cache'], { cwd: source.path });
      expect(stderr).toContain('no-cache');
      expect(stderr).toContain('bridgetape: the command succeeded, but 1 request had no answer');
      expect(status).toBe(3);
    });

    it(`${version}: another frontend's requests are missed by method and field`, async () => {
      const other = solve.map((word) => (word === 'solve' ? 'fail' : word));
      const { status, stderr } = await bridgetape(['replay', at('solve.cassette'), '--', ...other]);
      expect(ownWords(stderr)[0]).toBe(`bridgetape: no answer for Control/Solve in ${at('solve.cassette')}`);
      expect(stderr).toMatch(/^ {2}differs {3}FrontendAttrs.*scenario.*\n {14}recorded {2}"solve"\n {14}got {7}"fail"$/m);
      expect(stderr).toMatch(/^frontend: .*scenario/m);
      expect(status).toBe(1);
    });

    // What the frontend types before it says who it is (test/interop/frontend/scenario_small.go).
    const TYPED = "screen 40 120\nfor i in 1 2 3 4 5; do usleep 300000; echo tick $i; done\nusleep 250000; printf 'who is there? '; read who; usleep 250000; echo hello, $who\n";

    it.each<[string, readonly string[], readonly string[], string, object]>([
      [
        'the byte of stdin',
        ['--who', 'the bride'],
        [`byte ${TYPED.length + 'the brid'.length} of stdin`, String.raw`  recorded  …"cho hello, $who\nthe bridge\nstty -echo; echo bye\nexit 0\n"`, String.raw`  got       …"cho hello, $who\nthe bride\n"`],
        `byte ${TYPED.length + 'the brid'.length} of stdin of the process`,
        { kind: 'bytes', fd: 0, byte: TYPED.length + 'the brid'.length },
      ],
      ['the resize', ['--columns', '100'], ['resize 1', '  recorded  120x40', '  got       100x40'], 'resize 1 of the process', { kind: 'resize', number: 1 }],
    ])(`${version}: another word to a process is missed by %s`, async (_what, changed, lines, told, place) => {
      const { status, stderr } = await bridgetape(['replay', '--report', at('report.json'), at('dialogue.cassette'), '--', ...dialogue, ...changed]);
      const own = ownWords(stderr)[0];
      expect(own).toBe(`bridgetape: not as recorded: LLBBridge/ExecProcess in ${at('dialogue.cassette')}`);
      for (const line of lines) expect(stderr).toContain(line);
      expect(stderr).toMatch(/^ {2}process {3}\/bin\/busybox sh -c .*\(call \d+\)$/m);
      // The frontend got it too, as the end of its process.
      expect(stderr).toMatch(new RegExp(`^frontend: .*${told}`, 'm'));
      expect(JSON.parse(readFileSync(at('report.json'), 'utf8'))).toMatchObject({ verdict: 'missed', misses: { count: 1, listed: [{ process: { at: place } }] } });
      expect(status).toBe(1);
    });

    it(`${version}: nobody behind the recorder is said in a line, and the client ends`, async () => {
      const { buildctl } = await buildKit(version);
      const nobody = `unix://${at('nobody.sock')}`;
      const { status, stderr } = await bridgetape(['record', '-o', at('nobody.cassette'), '--to', nobody, '--', buildctl, 'debug', 'workers'], {
        env: { BUILDKIT_HOST: undefined },
      });
      expect(ownWords(stderr)[0]).toContain(`Cannot reach BuildKit at ${nobody}: `);
      expect(stderr).toContain('Start buildkitd there, or name its address with --to or BUILDKIT_HOST.');
      expect(status).toBe(1);
    });
  }
});
