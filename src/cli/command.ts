import { parseArguments } from './arguments.js';
import { reporting } from './failure.js';
import type { Operands, Options, Synopsis, Values } from './synopsis.js';

/** What a command's file gives to the front door. */
export interface Command {
  readonly synopsis: Synopsis;
  /**
   * @param words what was written behind the command's name
   * @param command what stood after `--`; undefined when there was no `--`
   * @param debug whether to say where in the code an error was thrown
   * @returns the exit status; of a failure, once that was said
   */
  run(words: readonly string[], command: readonly string[] | undefined, debug: boolean): Promise<number>;
}

/** @param run gets each value with the type that the synopsis gives it */
export function defineCommand<const P extends Operands, const O extends Options>(
  synopsis: Synopsis<P, O>,
  run: (values: Values<P, O>, command: readonly string[] | undefined) => Promise<number>,
): Command {
  return { synopsis, run: (words, command, debug) => reporting(debug, async () => run(parseArguments(synopsis, words, command), command)) };
}
