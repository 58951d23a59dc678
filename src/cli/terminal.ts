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
    const done = onSignals(['SIGINT', 'SIGTERM'], () => {
      done();
      resolve();
    });
  });
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns takes it back */
function onSignals(names: readonly NodeJS.Signals[], heard: (name: NodeJS.Signals) => void): () => void {
  for (const name of names) process.on(name, heard);
  return () => {
    for (const name of names) process.off(name, heard);
  };
}

/**
 * Does what is better not broken off: a signal meanwhile, of somebody who pressed Ctrl-C twice, is answered with a line.
 * One more has its usual effect.
 */
export async function unbroken<T>(line: string, work: () => Promise<T>): Promise<T> {
  const done = onSignals(ENDING, () => {
    done();
    say(line);
  });
  try {
    return await work();
  } finally {
    done();
  }
}

/** For a command that clears up after itself when it is ended: aborted by a signal, with its name as the reason. */
export function abortedBySignal(): { readonly signal: AbortSignal; readonly done: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, done: onSignals(ENDING, (name) => controller.abort(name)) };
}
