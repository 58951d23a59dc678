import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAnsweringServer } from './conformance/answering-server.js';
import { AS_LISTED, unexpected } from './conformance/known-failures.js';
import {
  conformanceProgram,
  describeConformance,
  listening,
  runCommand,
  shown,
  type ShownCall,
  startCommand,
  temporaryFolder,
  type Listening,
  type TemporaryFolder,
} from './harness/index.js';

const LOOPBACK = 'tcp://127.0.0.1:0';
const portOf = (address: string): string => /:(\d+)$/.exec(address)?.[1] ?? '';

let folder: TemporaryFolder;
const at = (name: string): string => join(folder.path, name);

/** A recorder or a replayer that has what it needs to end well. */
async function ended({ command }: Listening): Promise<string> {
  command.kill('SIGTERM');
  const { status, stderr } = await command.result;
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.any(String) as string });
  return stderr;
}

describeConformance('h2spec, all of its cases, strict ones too', () => {
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  /** @returns the cases that failed, as `SECTION: TITLE` */
  async function h2spec(port: string): Promise<{ readonly cases: number; readonly failed: readonly string[] }> {
    const report = at('h2spec.xml');
    await runCommand([await conformanceProgram('h2spec', 'h2spec'), '--port', port, '--strict', '--timeout', '2', '--junit-report', report]);
    const cases = [...readFileSync(report, 'utf8').matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>\s*(<error|<failure|<skipped)?/g)];
    const name = (section = '', title = ''): string => `${section}: ${title.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')}`;
    return { cases: cases.length, failed: cases.filter(([, , , wrong]) => wrong !== undefined).map(([, section, title]) => name(section, title)) };
  }

  it('holds of the server connection', async () => {
    const server = await startAnsweringServer();
    try {
      const { cases, failed } = await h2spec(String(server.port));
      expect(cases).toBe(147);
      expect(unexpected('h2spec, against the server connection', failed)).toEqual(AS_LISTED);
    } finally {
      await server.close();
    }
  });

  it('holds of a replay', async () => {
    const cassette = fileURLToPath(new URL('../../cassettes/dialogue-v0.32.2.cassette', import.meta.url));
    const replay = await listening(['replay', cassette, '--listen', LOOPBACK]);
    const { cases, failed } = await h2spec(portOf(replay.address));
    expect(cases).toBe(147);
    expect(unexpected('h2spec, against a replay', failed)).toEqual(AS_LISTED);
    replay.command.kill('SIGTERM');
    await replay.command.result;
  });
});

/** grpc/grpc doc/interop-test-descriptions.md, as far as grpc-go's client has them and they need no TLS and no cloud. */
const INTEROP_CASES = [
  'empty_unary',
  'large_unary',
  'client_streaming',
  'server_streaming',
  'ping_pong',
  'empty_stream',
  'cancel_after_begin',
  'cancel_after_first_response',
  'timeout_on_sleeping_server',
  'status_code_and_message',
  'special_status_message',
  'custom_metadata',
  'unimplemented_method',
  'unimplemented_service',
  'rpc_soak',
  'channel_soak',
];

/** What is heard of these is a race: they cancel at once, or after a millisecond. So many runs hold all that a replay may hear. */
const RACES: ReadonlySet<string> = new Set(['cancel_after_begin', 'timeout_on_sleeping_server']);
const RACE_RUNS = 20;

describeConformance("gRPC's interop test cases, recorded from grpc-go's server", () => {
  let replay: Listening;

  /** @returns what the client complains of; the soak cases count aloud as well */
  async function client(address: string, name: string): Promise<{ readonly status: number | null; readonly complaints: readonly string[] }> {
    const { status, stderr } = await runCommand([await conformanceProgram('grpc', 'client'), '--server_host', '127.0.0.1', '--server_port', portOf(address), '--test_case', name]);
    return { status, complaints: stderr.split('\n').filter((line) => /FATAL|ERROR|WARNING|panic/.test(line)) };
  }

  beforeAll(async () => {
    folder = temporaryFolder();
    const port = await freePort();
    const server = startCommand([await conformanceProgram('grpc', 'server'), '--port', port]);
    const record = await listening(['record', '-o', at('interop.cassette'), '--listen', LOOPBACK, '--to', `tcp://127.0.0.1:${port}`]);
    for (const name of INTEROP_CASES.flatMap((name) => (RACES.has(name) ? Array<string>(RACE_RUNS).fill(name) : [name]))) {
      expect({ name, ...(await client(record.address, name)) }).toEqual({ name, status: 0, complaints: [] });
    }
    await ended(record);
    server.kill('SIGTERM');
    await server.result;
    replay = await listening(['replay', at('interop.cassette'), '--listen', LOOPBACK]);
  });
  afterAll(() => folder.remove());

  it.each(INTEROP_CASES)('%s', async (name) => {
    expect(await client(replay.address, name)).toEqual({ status: 0, complaints: [] });
  });

  it('are all answered from the cassette, which is whole', async () => {
    expect(await ended(replay)).not.toMatch(/bridgetape: on /);
    const { cassette, calls } = await shown(at('interop.cassette'));
    expect(cassette.state).toBe('whole');
    const isCut = ({ path, outcome }: ShownCall): boolean => path.endsWith('/FullDuplexCall') && outcome.kind === 'reset' && outcome.codeName === 'CANCEL';
    // The deadline of a millisecond can pass in the middle of a message.
    expect(calls.filter((call) => call.gaps > 0 && !isCut(call))).toEqual([]);
    // Two of the cases are over before anything of their call is sent: a cancellation, and a deadline of a millisecond.
    expect(calls.length).toBeGreaterThanOrEqual(INTEROP_CASES.length - 2);
  });
});

/** A port that nobody listens on, for programs that can't choose one themselves. */
async function freePort(): Promise<string> {
  const server = await startAnsweringServer();
  await server.close();
  return String(server.port);
}

/**
 * The cases are told apart by a header, and requests are matched by their messages: those that send the same in
 * different cases are recorded and replayed on their own.
 */
const APART = ['Deadline Propagation/**', 'Timeouts/**', '**/error-one-request'];
const APART_PLAIN = [...APART, 'Server Empty Requests/**', 'gRPC Unexpected Requests/**'];
const without = (patterns: readonly string[]): readonly string[] => patterns.flatMap((pattern) => ['--skip', pattern]);

const ROUNDS: Readonly<Record<string, readonly string[]>> = {
  deadlines: ['--run', 'Deadline Propagation/**'],
  timeouts: ['--run', 'Timeouts/**'],
  'an error after one request': ['--run', '**/error-one-request'],
};
const ROUNDS_BY_COMPRESSION: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  identity: {
    'messages of their own': without(APART_PLAIN),
    ...ROUNDS,
    'empty requests': ['--run', 'Server Empty Requests/**'],
    'too many requests': ['--run', 'gRPC Unexpected Requests/**/multiple-requests'],
    'no request': ['--run', 'gRPC Unexpected Requests/**/no-request'],
    'unexpected requests': ['--run', 'gRPC Unexpected Requests/**', ...without(['**/multiple-requests', '**/no-request'])],
  },
  gzip: { 'messages of their own': without(APART), ...ROUNDS },
};

const features = (compression: string): string => `
features:
  versions: [HTTP_VERSION_2]
  protocols: [PROTOCOL_GRPC]
  codecs: [CODEC_PROTO]
  compressions: [COMPRESSION_${compression.toUpperCase()}]
  supportsTls: false
  supportsMessageReceiveLimit: false
`;

describeConformance("Connect's conformance runner, in its gRPC server mode", () => {
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  /** Runs the cases against a server that listens already: the runner starts programs, and is given one that says where. */
  async function run(address: string, args: readonly string[]): Promise<{ readonly cases: number; readonly failed: readonly string[] }> {
    writeFileSync(at('response'), serverCompatResponse('127.0.0.1', Number(portOf(address))));
    const program = ['sh', '-c', 'cat "$0"; exec tail -f /dev/null', at('response')];
    const { stdout } = await runCommand([await conformanceProgram('connect', 'runner'), '--mode', 'server', '--max-servers', '1', '--parallel', '1', '--conf', at('features'), ...args, '--', ...program]);
    const [, cases = 'none'] = /^Total cases: (\d+)$/m.exec(stdout) ?? [];
    return { cases: Number(cases), failed: [...stdout.matchAll(/^FAILED: (.*?):?$/gm)].map(([, name = '']) => name) };
  }

  async function upstream(name: 'grpc-go' | 'connect-go'): Promise<{ readonly address: string; stop(): Promise<void> }> {
    const server = startCommand([await conformanceProgram('connect', name), '--json', '--port', '0']);
    server.write('{"protocol":"PROTOCOL_GRPC","httpVersion":"HTTP_VERSION_2","messageReceiveLimit":1000000}\n');
    const [, port = ''] = await server.until(/"port":\s*(\d+)/);
    return {
      address: `tcp://127.0.0.1:${port}`,
      stop: async () => {
        server.kill('SIGTERM');
        await server.result;
      },
    };
  }

  describe.each(['grpc-go', 'connect-go'] as const)('recorded from %s', (server) => {
    describe.each(Object.entries(ROUNDS_BY_COMPRESSION))('with %s', (compression, rounds) => {
      it.each(Object.entries(rounds))('%s', async (name, args) => {
        writeFileSync(at('features'), features(compression));
        const cassette = at(`${server}-${compression}-${name.replaceAll(' ', '-')}.cassette`);
        const to = await upstream(server);
        const record = await listening(['record', '-o', cassette, '--listen', LOOPBACK, '--to', to.address]);
        const live = await run(record.address, args);
        await ended(record);
        await to.stop();
        // What came too late in the recording must not come in time in the replay.
        const replay = await listening(['replay', cassette, '--listen', LOOPBACK, ...(name === 'timeouts' ? ['--pace', '1'] : [])]);
        const replayed = await run(replay.address, args);
        replay.command.kill('SIGTERM');
        const { stderr } = await replay.command.result;
        console.log(`${server} with ${compression}, ${name}: of ${live.cases} cases ${live.failed.length} failed when recorded, ${replayed.failed.length} when replayed`);
        expect(live.cases).toBeGreaterThan(0);
        expect(replayed.cases).toBe(live.cases);
        expect(unexpected(`Connect's runner, ${server} with ${compression}, ${name}`, replayed.failed.map(shortName))).toEqual(AS_LISTED);
        expect(stderr.split('\n').filter((line) => line.startsWith('bridgetape: on '))).toEqual([]);
      });
    });
  });
});

/** A case's name without what is the same in all of a round. */
const shortName = (name: string): string => name.replace(/HTTPVersion:2\/|Protocol:PROTOCOL_GRPC\/|Codec:CODEC_PROTO\/|TLS:false\/|Compression:COMPRESSION_[A-Z]+\//g, '');

/** connectrpc.conformance.v1.ServerCompatResponse: host = 1, port = 2; after its length in four octets. */
function serverCompatResponse(host: string, port: number): Uint8Array {
  const octets: number[] = [];
  for (let rest = port; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      octets.push(rest);
      break;
    }
    octets.push((rest % 128) | 128);
  }
  const message = Buffer.from([0x0a, host.length, ...Buffer.from(host), 0x10, ...octets]);
  return Buffer.concat([Buffer.from([0, 0, 0, message.length]), message]);
}
