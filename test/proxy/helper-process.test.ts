import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { BridgetapeError } from '../../src/errors.js';
import { HelperProcess } from '../../src/proxy/helper-process.js';
import { HelperWords, MAX_LINE, MAX_LINES } from '../../src/proxy/helper-words.js';
import { startProxy, type Proxy } from '../../src/proxy/index.js';
import type { Command } from '../../src/socket/index.js';
import { closed, readAll, Watcher } from './watcher.js';

let folder: string;
let proxy: Proxy | undefined;
let lost: BridgetapeError[];
let lines: string[];
let tap: Watcher;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bt-'));
  [lost, lines, tap] = [[], [], new Watcher()];
});

afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A proxy in front of what the command does, and a client of it. */
async function dial(command: Command): Promise<Socket> {
  const path = join(folder, 'proxy.sock');
  proxy = await startProxy({
    listen: { kind: 'unix', path },
    upstream: { kind: 'helper', url: 'docker-container://far', command },
    tap,
    onUpstreamError: (error) => lost.push(error),
    onHelperLine: (line) => lines.push(line),
  });
  const client = connect({ path, allowHalfOpen: true });
  client.on('error', () => undefined);
  return client;
}

const sh = (script: string): Command => ['sh', '-c', script];

/** The script writes its id there first. */
const NOTES_PID = (): string => `echo $$ >${join(folder, 'pid.new')}; mv ${join(folder, 'pid.new')} ${join(folder, 'pid')};`;

async function pid(): Promise<number> {
  const path = join(folder, 'pid');
  await vi.waitFor(() => expect(existsSync(path)).toBe(true), { timeout: 10_000, interval: 5 });
  return Number(readFileSync(path, 'utf8'));
}

const isAlive = (id: number): boolean => existsSync(`/proc/${id}`);

describe('a connection helper', () => {
  it('gets every byte unchanged, and so does the client', async () => {
    const sent = randomBytes(5_000_000);
    const client = await dial(['cat']);
    client.end(sent);
    expect((await readAll(client)).equals(sent)).toBe(true);
    await tap.closed;
    expect(tap.all('client').equals(sent)).toBe(true);
    expect(tap.all('server').equals(sent)).toBe(true);
    expect(tap.log).toEqual(['open', 'end client', 'end server', 'close client']);
    expect(lost).toEqual([]);
  });

  it('can answer after the client has ended', async () => {
    const client = await dial(sh('cat >/dev/null; echo late answer'));
    client.end('request');
    expect(String(await readAll(client))).toBe('late answer\n');
    await tap.closed;
    expect(lost).toEqual([]);
  });

  it('has what it says on stderr told, and its death ends the connection with its reason', async () => {
    const client = await dial(sh('echo last words; echo "no such container" >&2; exit 3'));
    const heard = readAll(client);
    expect(String(await heard)).toBe('last words\n');
    await closed(client);
    await tap.closed;
    expect(lines).toEqual(['sh: no such container']);
    expect(lost.map(({ code }) => code)).toEqual(['upstream-unreachable']);
    expect(lost[0]?.message).toMatch(/^"sh -c .* ended with status 3, and the connection to BuildKit at docker-container:\/\/far with it\.\n/);
  });

  it('that has ended is heard to its end by who reads late', async () => {
    // More than is read ahead of who does not read, and less than that and what the helper's pipe takes.
    const total = 140_000;
    const helper = new HelperProcess({ kind: 'helper', url: 'docker-container://far', command: sh(`${NOTES_PID()} head -c ${total} /dev/zero`) }, (line) => lines.push(line));
    helper.on('error', () => undefined);
    const id = await pid();
    await vi.waitFor(() => expect(isAlive(id)).toBe(false), { timeout: 10_000, interval: 5 });
    // No event tells that it has been waited for long enough: twice what a helper's open output is given.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect((await readAll(helper)).length).toBe(total);
  });

  it('that is killed ends the connection too', async () => {
    const client = await dial(sh('kill -KILL $$'));
    await closed(client);
    await tap.closed;
    expect(lost[0]?.message).toContain('ended with SIGKILL');
  });

  it('that is not there closes the client at once, and says so', async () => {
    const client = await dial(['no-such-program', 'exec']);
    await closed(client);
    expect(lost[0]?.message).toContain('Cannot run no-such-program to reach BuildKit at docker-container://far: there is no such program.');
    expect(tap.log).toEqual(['open', 'close server error']);
  });

  it('with too many arguments is an error like others', async () => {
    const client = await dial(['true', 'x'.repeat(3_000_000)]);
    await closed(client);
    expect(lost[0]?.message).toContain('Cannot run true');
  });

  it('ends when its client has', async () => {
    const client = await dial(sh(`${NOTES_PID()} exec cat`));
    const id = await pid();
    expect(isAlive(id)).toBe(true);
    client.destroy();
    await tap.closed;
    expect(isAlive(id)).toBe(false);
  });

  it('is ended when the proxy is closed, whatever it does to stay', async () => {
    const client = await dial(sh(`${NOTES_PID()} trap "" TERM; exec 0<&-; while :; do sleep 0.1; done`));
    const id = await pid();
    client.write('anybody there?');
    await proxy?.close();
    proxy = undefined;
    expect(isAlive(id)).toBe(false);
  });

  it('is over when it has ended, though another holds its output open', async () => {
    const client = await dial(sh(`sleep 30 & echo $! >${join(folder, 'pid.new')}; mv ${join(folder, 'pid.new')} ${join(folder, 'pid')}; echo bye`));
    expect(String(await readAll(client))).toBe('bye\n');
    await tap.closed;
    expect(lost[0]?.message).toContain('ended with status 0');
    const id = await pid();
    expect(isAlive(id)).toBe(true);
    process.kill(id);
  });

  it('is one for each connection', async () => {
    const clients = [await dial(sh('echo $$; exec cat')), connect(join(folder, 'proxy.sock'))];
    const heard = clients.map((client) => readAll(client));
    clients.forEach((client, index) => client.end(`client ${index}`));
    const [[first, ...a], [second, ...b]] = (await Promise.all(heard)).map((bytes) => String(bytes).split('\n')) as [string[], string[]];
    expect(first).not.toBe(second);
    expect([a, b]).toEqual([['client 0'], ['client 1']]);
  });
});

describe("a helper's words", () => {
  const said = (...chunks: (string | Buffer)[]): string[] => {
    const out: string[] = [];
    const words = new HelperWords('ssh', (line) => out.push(line));
    for (const chunk of chunks) words.hear(Buffer.from(chunk));
    words.end();
    return out;
  };

  it('come line by line, however they are cut', () => {
    const euro = Buffer.from('€');
    expect(said('on', 'e\ntw', 'o\r\n', euro.subarray(0, 1), euro.subarray(1), '3')).toEqual(['ssh: one', 'ssh: two', 'ssh: €3']);
  });

  it('play no tricks on the terminal', () => {
    expect(said('\u001b[2Jgone\u0007\n')).toEqual(['ssh: \ufffd[2Jgone\ufffd']);
  });

  it('have an end, in a line and in all', () => {
    expect(said('x'.repeat(10 * MAX_LINE))[0]).toBe(`ssh: ${'x'.repeat(MAX_LINE)}…`);
    const many = said('line\n'.repeat(10 * MAX_LINES));
    expect(many).toHaveLength(MAX_LINES + 1);
    expect(many.at(-1)).toBe('ssh: and more, which is not shown');
  });
});
