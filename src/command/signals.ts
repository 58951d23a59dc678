/** The signals that are meant for a command that this process runs. */

/** Sent to this process alone. */
const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;
/** Sent by a terminal to the whole foreground group: the command has them already. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT'] as const;

/**
 * Hands signals on as long as the command runs.
 *
 * @param kill sends one to the command
 * @returns ends it
 */
export function forwardSignals(kill: (signal: NodeJS.Signals) => void): () => void {
  const fromTerminal = (signal: NodeJS.Signals): void => {
    if (!process.stdin.isTTY) kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, kill);
  for (const signal of FROM_TERMINAL) process.on(signal, fromTerminal);
  return () => {
    for (const signal of FORWARDED) process.off(signal, kill);
    for (const signal of FROM_TERMINAL) process.off(signal, fromTerminal);
  };
}
