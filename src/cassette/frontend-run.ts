/** The run of a container frontend whose stdio carried the recorded connection: what it takes to start it again. */
export interface FrontendRun {
  /** argv, the program first. */
  readonly arguments: readonly string[];
  /** `NAME=value`, in order, as the process got it. */
  readonly environment: readonly string[];
  /** Its working directory, in the container. */
  readonly directory: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  /** The files of its metadata folder: absolute path in the container, contents. */
  readonly files: readonly FrontendFile[];
  /** How the process ended; left out while it runs, and when nobody saw its end. */
  readonly exit?: FrontendExit;
}

export interface FrontendFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/** An exit status, or the name of the signal that ended it, such as `SIGKILL`. */
export type FrontendExit = { readonly status: number } | { readonly signal: string };
