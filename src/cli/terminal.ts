/** What all commands share of the terminal: exit statuses, messages on stderr, the end by a signal. */

/** Exit statuses of bridgetape's own; a recorded or replayed command that failed gives its own instead. */
export const EXIT = {
  ok: 0,
  /** What was looked at is not as it should be: a cassette that is interrupted or damaged. */
  notWhole: 1,
  /** A frontend did not do as recorded. */
  differs: 1,
  /** Two recordings are not the same, as diff(1) has it. */
  different: 1,
  /** bridgetape could not do what it was asked to. */
  trouble: 2,
  /** The command succeeded, but the recording has lost something, or the replay missed something. */
  incomplete: 3,
  commandNotFound: 127,
} as const;

/** A line for people. stdout belongs to the command's own output. */
export function say(line: string): void {
  speak(`${line}\n`);
}

/** Writes to stderr. When nobody reads it any more, or its disk is full, all else goes on. */
export function speak(text: string | Uint8Array): void {
  const { stderr } = process;
  // Of a pipe, the failure comes as an event.
  stderr.off('error', ignore).on('error', ignore);
  try {
    stderr.write(text);
  } catch {
    // Of a file, it is thrown.
  }
}

const ignore = (): void => undefined;

/** Resolves at SIGINT or SIGTERM, which end a command that runs until it is told to. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off('SIGINT', end);
      process.off('SIGTERM', end);
      resolve();
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
}

/**
 * Does what is better not broken off: a signal meanwhile, of somebody who pressed Ctrl-C twice, is answered with a line.
 * One more has its usual effect.
 */
export async function unbroken<T>(line: string, work: () => Promise<T>): Promise<T> {
  const ours = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const done = (): void => {
    for (const name of ours) process.off(name, answer);
  };
  const answer = (): void => {
    done();
    say(line);
  };
  for (const name of ours) process.on(name, answer);
  try {
    return await work();
  } finally {
    done();
  }
}

/** For a command that clears up after itself when it is ended: aborted by a signal, with its name as the reason. */
export function abortedBySignal(): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController();
  const end = (name: NodeJS.Signals): void => controller.abort(name);
  const ours = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of ours) process.on(name, end);
  return {
    signal: controller.signal,
    done: () => {
      for (const name of ours) process.off(name, end);
    },
  };
}
