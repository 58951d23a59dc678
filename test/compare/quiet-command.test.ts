import { describe, expect, it } from 'vitest';
import { runQuietly } from '../../src/compare/quiet-command.js';

const run = (script: string, more: Partial<Parameters<typeof runQuietly>[1]> = {}) => runQuietly(['sh', '-c', script], { env: {}, signal: new AbortController().signal, ...more });

describe('a command that is run quietly', () => {
  it('has its environment, its output kept and its status told', async () => {
    expect(await run('echo out $GIVEN; echo err >&2; exit 3', { env: { GIVEN: 'it' } })).toEqual({ status: 3, output: expect.stringMatching(/^(out it\nerr\n|err\nout it\n)$/) as string });
  });

  it('that cannot be run is told in words, whenever the system says so', async () => {
    const quietly = (program: string, env = {}) => runQuietly([program], { env, signal: new AbortController().signal });
    await expect(quietly('/no/such/program')).rejects.toMatchObject({ code: 'command-not-found', what: 'Cannot run "/no/such/program": there is no such program.' });
    await expect(quietly('true', { LONG: 'x'.repeat(200_000) })).rejects.toMatchObject({ code: 'command-not-found', what: 'Cannot run "true": spawn E2BIG.' });
  });

  it('has nothing to read', async () => {
    expect(await run('cat; echo over')).toEqual({ status: 0, output: 'over\n' });
  });

  it('is heard line by line, with an unfinished one at the end', async () => {
    const lines: string[] = [];
    await run('printf "one\\ntw"; printf "o\\nthr"', { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['one', 'two', 'thr']);
  });

  it('gets the signal that ends us, and is waited for', async () => {
    const controller = new AbortController();
    const ended = run("trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done", { signal: controller.signal, onLine: (line) => line === 'ready' && controller.abort('SIGTERM') });
    expect(await ended).toEqual({ status: 9, output: 'ready\nbye\n' });
  });

  it('that a signal ended has the status that a shell gives it', async () => {
    expect((await run('kill -KILL $$')).status).toBe(137);
  });

  it('keeps only the end of very much output', async () => {
    const { output } = await run('head -c 4000000 /dev/zero | tr "\\0" x; echo end');
    expect(output.length).toBe(1024 * 1024);
    expect(output.endsWith('xend\n')).toBe(true);
  });
});
