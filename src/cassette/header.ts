import type { FrontendRun } from './frontend-run.js';

/** What a cassette says about itself: all that was known when the recording began, and facts added when it ended. */
export interface CassetteHeader {
  readonly formatVersion: 1;
  /** What wrote the file, e.g. `bridgetape 0.1.0`. */
  readonly tool: string;
  /** Wall clock at time 0 of the recording. */
  readonly startedAt: Date;
  /** The addresses that clients could dial. */
  readonly listen: readonly string[];
  /** The address that was dialled for them. */
  readonly upstream: string;
  /** The address of the Docker Engine that was dialled for clients of a docker.sock, when there was one. */
  readonly docker?: string;
  /** The command that was run, unless the user asked for it to be left out. */
  readonly command?: readonly string[];
  /** The container frontend whose stdio carried the connection, when that is where it was recorded. */
  readonly frontend?: FrontendRun;
  /** BuildKit's version, when the traffic showed it. */
  readonly buildkitVersion?: string;
  /** Method patterns whose message bodies are not kept, e.g. `/moby.buildkit.v1.Control/Session`. */
  readonly bodiesLeftOut: readonly string[];
}

/** What a recorder hands in; the writer knows its own format version. */
export type NewHeader = Omit<CassetteHeader, 'formatVersion'>;

/** Facts that became known while recording. */
export type LateFacts = Partial<NewHeader>;
