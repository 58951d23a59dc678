/** The recording of one connection that is somebody's stdin and stdout: a container frontend's. */
import { CassetteWriter, type FrontendExit, type FrontendRun } from '../cassette/index.js';
import { BridgetapeError } from '../errors.js';
import type { ConnectionTap } from '../proxy/index.js';
import { version } from '../version.js';
import { Recorder } from './recorder.js';

/** How such a connection's ends are named in a cassette. */
const STDIO = 'stdio:';

/** Recordings that begin in the same millisecond, of one build: far more than there ever are. */
const MAX_NAMESAKES = 1000;

export interface StdioRecordingOptions {
  /** The cassette's path, given the number of cassettes that already have the name: 0 at first. */
  readonly output: (namesakes: number) => string;
  readonly startedAt: Date;
  readonly frontend: FrontendRun;
  /** When something but the traffic says it. */
  readonly buildkitVersion?: string | undefined;
  /** The disk failed while recording; the traffic goes on. Called once. */
  readonly onLoss: (error: Error) => void;
}

export interface StdioRecording {
  readonly path: string;
  readonly tap: ConnectionTap;
  /** The frontend has ended by itself: closes the cassette. */
  close(exit: FrontendExit): Promise<void>;
  /** The frontend was cut off, and so is the cassette: it stays as an interrupted one. */
  leave(): Promise<void>;
}

/** @throws BridgetapeError `cassette-not-writable`, `bad-argument` for a frontend whose run no cassette can hold */
export async function recordStdio({ output, startedAt, frontend, buildkitVersion, onLoss }: StdioRecordingOptions): Promise<StdioRecording> {
  const header = {
    tool: `bridgetape ${version}`,
    startedAt,
    listen: [STDIO],
    upstream: STDIO,
    frontend,
    // Nothing that is bulky or secret crosses here: no session, no images, no traces.
    bodiesLeftOut: [],
    ...(buildkitVersion === undefined ? {} : { buildkitVersion }),
  };
  const begun = process.hrtime.bigint();
  const { writer, path } = await createFree(output, (name) => CassetteWriter.create(name, header, { onFailure: onLoss }));
  const recorder = new Recorder(writer, { patterns: [], keeps: () => true }, begun);
  return {
    path,
    tap: recorder.openAt(STDIO, begun),
    close: async (exit) => {
      const seen = recorder.buildkitVersion ?? buildkitVersion;
      await writer.close({ frontend: { ...frontend, exit }, ...(seen === undefined ? {} : { buildkitVersion: seen }) });
    },
    leave: async () => {
      await writer.leave();
    },
  };
}

async function createFree(output: StdioRecordingOptions['output'], create: (path: string) => Promise<CassetteWriter>): Promise<{ writer: CassetteWriter; path: string }> {
  for (let namesakes = 0; ; namesakes++) {
    const path = output(namesakes);
    try {
      return { writer: await create(path), path };
    } catch (error) {
      if (!(error instanceof BridgetapeError) || error.code !== 'cassette-exists' || namesakes >= MAX_NAMESAKES) throw error;
    }
  }
}
