/** stdout as a command's result goes there: with backpressure, to whatever stands behind it, as long as it listens. */
import { EXIT, say } from './terminal.js';

/** So many characters are gathered for one write. */
const CHUNK = 64 * 1024;

/**
 * Prints lines as fast as they are taken. A reader that leaves (`| head`) is no error: nothing more is made then.
 *
 * @param status the exit status of a command whose output got through
 * @returns that status, or the one for trouble when stdout failed
 */
export async function print(lines: Iterable<string>, status: number = EXIT.ok): Promise<number> {
  const { stdout } = process;
  let failure: Error | undefined;
  // The handler stays: a pipe that has lost its reader says so once for each write that was under way.
  stdout.on('error', (error: Error) => {
    failure ??= error;
  });
  const write = (text: string): Promise<void> =>
    new Promise((resolve) => {
      // Called when the chunk is written or has failed, so that a slow reader slows us down.
      stdout.write(text, () => resolve());
    });
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < CHUNK) continue;
    await write(chunk);
    chunk = '';
    if (failure !== undefined) break;
  }
  if (failure === undefined && chunk !== '') await write(chunk);
  // The callback of a failed write comes before its error event.
  await new Promise((resolve) => setImmediate(resolve));
  const error = failure as NodeJS.ErrnoException | undefined;
  if (error === undefined) return status;
  if (error.code === 'EPIPE') return status;
  say(`bridgetape: cannot write the output: ${error.message}.\nCheck where stdout goes.`);
  return EXIT.trouble;
}

/** Columns of the terminal that stdout is; of a pipe, what the environment says, else 80. */
export function outputWidth(): number {
  const columns = process.stdout.isTTY ? process.stdout.columns : Number(process.env['COLUMNS']);
  return Number.isInteger(columns) && columns > 0 ? columns : 80;
}
