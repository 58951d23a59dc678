import type { ArgumentsCamelCase, Argv } from 'yargs';

/** What a command's file gives to the front door. */
export interface CommandModule<Options = unknown> {
  options(parser: Argv): Argv<Options>;
  /**
   * @param command what stood after `--`; undefined when there was no `--`
   * @returns the exit status
   */
  run(args: ArgumentsCamelCase<Options>, command: readonly string[] | undefined): Promise<number>;
}
