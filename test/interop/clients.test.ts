// Clients of four gRPC implementations see of a recorder, and then of a replayer, what they saw of the live server.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bridgetape,
  buildBridgetape,
  clientCommand,
  describeClients,
  runCommand,
  STACKS,
  startEchoServer,
  temporaryFolder,
  type CommandResult,
  type StackName,
  type TemporaryFolder,
} from './harness/index.js';

const SMALL = [
  ...['unary', 'server-stream', 'client-stream', 'bidi', 'metadata', 'statuses', 'early-end', 'large-trailers', 'alike'],
  ...['cancel-unanswered', 'cancel-after-headers', 'cancel-mid-stream', 'cancel-bidi', 'deadline-passes', 'deadline-kept'],
];
const IN_A_ROW = 10;

type Transport = 'unix' | 'tcp';
/** Scenario by scenario what the client saw of its calls. */
type Transcript = readonly { readonly scenario: string; readonly calls: readonly Readonly<Record<string, unknown>>[] }[];

const transcript = ({ stdout }: CommandResult): Transcript =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Transcript[number]);

interface Recording {
  readonly live: Transcript;
  readonly cassette: string;
  readonly replay: (options?: readonly string[]) => Promise<CommandResult>;
}

describeClients('clients of a recorder and a replayer', () => {
  let folder: TemporaryFolder;
  let made = 0;

  beforeAll(() => {
    buildBridgetape();
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  /** Runs a client against the server, and against a recorder in front of it; the server is gone when this returns. */
  async function record(stack: StackName, scenarios: readonly string[], over: Transport = 'unix'): Promise<Recording> {
    made += 1;
    const client = [...(await clientCommand(stack)), ...scenarios];
    const cassette = join(folder.path, `${made}.cassette`);
    const listen = over === 'unix' ? [] : ['--listen', 'tcp://127.0.0.1:0'];
    const server = await startEchoServer(join(folder.path, `${made}.sock`));
    try {
      const alone = await runCommand(client, { env: { BUILDKIT_HOST: server[over] } });
      expect([alone.stderr, alone.status]).toEqual(['', 0]);
      const live = transcript(alone);
      expect(live.map(({ scenario }) => scenario)).toEqual(scenarios);

      const recorded = await bridgetape(['record', '-o', cassette, ...listen, '--to', server[over], '--', ...client]);
      expect(transcript(recorded)).toEqual(live);
      expect(recorded.stderr).toMatch(/ calls? on 1 connection, /);
      expect(recorded.status).toBe(0);
      return { live, cassette, replay: (options = []) => bridgetape(['replay', ...listen, ...options, cassette, '--', ...client]) };
    } finally {
      await server.stop();
    }
  }

  async function expectSame({ live, replay }: Recording, options?: readonly string[]): Promise<void> {
    const replayed = await replay(options);
    expect(transcript(replayed)).toEqual(live);
    expect([replayed.stderr, replayed.status]).toEqual(['', 0]);
  }

  describe.each(STACKS)('%s', (stack) => {
    it('sees the same each time in calls of every kind, their cancels, deadlines, statuses and trailers', async () => {
      const recording = await record(stack, SMALL);
      for (let times = 0; times < IN_A_ROW; times += 1) await expectSame(recording);
    });

    it('sees the same over TCP', async () => {
      await expectSame(await record(stack, SMALL, 'tcp'));
    });

    it.each(['unix', 'tcp'] as const)('sees the same in 1,000 streams at once, over %s', async (over) => {
      const recording = await record(stack, ['streams'], over);
      expect(recording.live).toMatchObject([{ calls: [{ code: 0, messages: 2000 }] }]);
      await expectSame(recording);
    });

    it.each(['unix', 'tcp'] as const)('sees the same in 100 MB each way, over %s', async (over) => {
      const recording = await record(stack, ['large'], over);
      try {
        expect(recording.live).toMatchObject([{ calls: [{ code: 0, messages: 26, bytes: 100_000_032 }] }]);
        await expectSame(recording);
      } finally {
        rmSync(recording.cassette);
      }
    });

    it('meets its deadline or misses it as the pace has it', async () => {
      const recording = await record(stack, ['slow']);
      await expectSame(recording);
      await expectSame(recording, ['--pace', '1']);
      // The first message is due after two seconds.
      const late = await bridgetape(['replay', '--pace', '10', recording.cassette, '--', ...(await clientCommand(stack)), '--deadline', '300', 'slow']);
      expect(transcript(late)).toMatchObject([{ calls: [{ code: 4, messages: 0 }] }]);
      expect([late.stderr, late.status]).toEqual(['', 0]);
    });
  });

  it.each(['grpc-go', 'grpcio'] as const)('%s sees the same trailers of a megabyte in one field', async (stack) => {
    await expectSame(await record(stack, ['one-field-trailers']));
  });

  it('see the same, whichever they are', async () => {
    const server = await startEchoServer(join(folder.path, 'all.sock'));
    try {
      const seen: Transcript[] = [];
      for (const stack of STACKS) seen.push(transcript(await runCommand([...(await clientCommand(stack)), ...SMALL, 'streams', 'large'], { env: { BUILDKIT_HOST: server.unix } })));
      for (const other of seen.slice(1)) expect(other).toEqual(seen[0]);
    } finally {
      await server.stop();
    }
  });
});
