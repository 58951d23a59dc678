// Clients of four gRPC implementations see of a recorder, and then of a replayer, what they saw of the live server; and
// all of them see the same.
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
/**
 * Without `statuses` for grpc-js, which reads compressed messages late and forgets those that it has not read when an
 * error ends the call, whoever serves it (github.com/grpc/grpc-node/issues/2764).
 */
const COMPRESSED = ['unary', 'server-stream', 'client-stream', 'bidi', 'alike'];
const IN_A_ROW = 10;

const OVER_TCP = ['--listen', 'tcp://127.0.0.1:0'];

interface How {
  readonly over?: 'unix' | 'tcp';
  /** More for the client's command line. */
  readonly flags?: readonly string[];
}

/** What is said but for who can reach the listener, which is said of every TCP port. */
function ownLines(stderr: string): string {
  return stderr.replace(/^.* takes every user of this machine, without TLS\n/m, '');
}

/** Scenario by scenario what the client saw of its calls. */
type Transcript = readonly { readonly scenario: string; readonly calls: readonly Readonly<Record<string, unknown>>[] }[];

const transcript = ({ stdout }: CommandResult): Transcript =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Transcript[number]);

interface Recording {
  readonly live: Transcript;
  readonly cassette: string;
  readonly replay: (options: readonly string[]) => Promise<CommandResult>;
}

describeClients('clients of a recorder and a replayer', () => {
  let folder: TemporaryFolder;
  let made = 0;
  /** What the first stack saw, by scenarios: the others have to see the same. */
  const seen = new Map<string, Transcript>();

  beforeAll(() => {
    buildBridgetape();
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  /** Runs a client against the server, and against a recorder in front of it; the server is gone when this returns. */
  async function record(stack: StackName, scenarios: readonly string[], { over = 'unix', flags = [] }: How = {}): Promise<Recording> {
    made += 1;
    const client = [...(await clientCommand(stack)), ...flags, ...scenarios];
    const cassette = join(folder.path, `${made}.cassette`);
    const server = await startEchoServer(join(folder.path, `${made}.sock`));
    try {
      const alone = await runCommand(client, { env: { BUILDKIT_HOST: server[over] } });
      expect([alone.stderr, alone.status]).toEqual(['', 0]);
      const live = transcript(alone);
      expect(live.map(({ scenario }) => scenario)).toEqual(scenarios);
      expect(live).toEqual(seen.get(scenarios.join()) ?? live);
      seen.set(scenarios.join(), live);

      const recorded = await bridgetape(['record', '-o', cassette, ...(over === 'unix' ? [] : OVER_TCP), '--to', server[over], '--', ...client]);
      expect([ownLines(recorded.stderr), recorded.status]).toEqual([expect.stringMatching(/^bridgetape: \S+: [\d,]+ calls? on 1 connection, .*\n$/), 0]);
      expect(transcript(recorded)).toEqual(live);
      return { live, cassette, replay: (options) => bridgetape(['replay', ...options, cassette, '--', ...client]) };
    } finally {
      await server.stop();
    }
  }

  async function expectSame({ live, replay }: Recording, options: readonly string[] = []): Promise<void> {
    const replayed = await replay(options);
    expect([ownLines(replayed.stderr), replayed.status]).toEqual(['', 0]);
    expect(transcript(replayed)).toEqual(live);
  }

  describe.each(STACKS)('%s', (stack) => {
    it('sees the same each time in calls of every kind, their cancels, deadlines, statuses and trailers', async () => {
      const recording = await record(stack, SMALL);
      for (let times = 0; times < IN_A_ROW; times += 1) await expectSame(recording);
    });

    it('sees the same over TCP', async () => {
      await expectSame(await record(stack, SMALL, { over: 'tcp' }), OVER_TCP);
    });

    it('sees the same when both sides compress', async () => {
      await expectSame(await record(stack, stack === 'grpc-js' ? COMPRESSED : [...COMPRESSED, 'statuses'], { flags: ['--compress'] }));
    });

    it('sees the same in 1,000 streams at once', async () => {
      const recording = await record(stack, ['streams']);
      expect(recording.live).toMatchObject([{ calls: [{ code: 0, messages: 2000 }] }]);
      for (const options of [[], OVER_TCP]) await expectSame(recording, options);
    });

    it('sees the same in 100 MB each way', async () => {
      const recording = await record(stack, ['large']);
      try {
        expect(recording.live).toMatchObject([{ calls: [{ code: 0, messages: 26, bytes: 100_000_032 }] }]);
        for (const options of [[], OVER_TCP]) await expectSame(recording, options);
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
      expect([late.stderr, late.status]).toEqual(['', 0]);
      expect(transcript(late)).toMatchObject([{ calls: [{ code: 4, messages: 0 }] }]);
    });
  });

  it.each(['grpc-go', 'grpcio'] as const)('%s sees the same trailers of a megabyte in one field', async (stack) => {
    await expectSame(await record(stack, ['one-field-trailers']));
  });
});
