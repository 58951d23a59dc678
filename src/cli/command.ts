import { parseArguments } from './arguments.js';
import type { Operands, Options, Synopsis, Values } from './synopsis.js';

/** What a command's file gives to the front door. */
export interface Command {
  readonly synopsis: Synopsis;
  /**
   * @param words what was written behind the command's name
   * @param command what stood after `--`; undefined when there was no `--`
   * @returns the exit status
   * @throws BridgetapeError `bad-argument`, and what the command itself throws
   */
  run(words: readonly string[], command: readonly string[] | undefined): Promise<number>;
}

/** @param run gets each value with the type that the synopsis gives it */
export function defineCommand<const P extends Operands, const O extends Options>(
  synopsis: Synopsis<P, O>,
  run: (values: Values<P, O>, command: readonly string[] | undefined) => Promise<number>,
): Command {
  return { synopsis, run: (words, command) => run(parseArguments(synopsis, words, command), command) };
}
