/** Errors as lines on stderr and an exit status. */
import { BridgetapeError } from '../errors.js';
import { EXIT, say } from './terminal.js';

/**
 * @param debug whether to say where in the code an error was thrown
 * @returns the exit status of the work, or of its failure once that was said
 */
export async function reporting(debug: boolean, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    const known = error instanceof BridgetapeError;
    const reason = error instanceof Error ? error : new Error(String(error));
    say(`bridgetape: ${known ? '' : 'internal error: '}${debug ? (reason.stack ?? reason.message) : reason.message}`);
    if (!known && !debug) say('This is a bug in bridgetape. Run it again with --debug and report what it prints.');
    return known && error.code === 'command-not-found' ? EXIT.commandNotFound : EXIT.trouble;
  }
}
