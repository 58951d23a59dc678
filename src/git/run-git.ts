/** git, run for its answer. */
import { spawnSync } from 'node:child_process';

import { BridgetapeError } from '../errors.js';

const MAX_ANSWER = 256 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @throws BridgetapeError `git-failed` where there is no git */
export function tryGit(folder: string, args: readonly string[], input?: string): Answer {
  const { error, status, stdout, stderr } = spawnSync('git', [...args], { cwd: folder, encoding: 'utf8', maxBuffer: MAX_ANSWER, ...(input === undefined ? {} : { input }) });
  if (error === undefined) return { status: status ?? 1, stdout, stderr };
  const isMissing = 'code' in error && error.code === 'ENOENT';
  throw new BridgetapeError('git-failed', isMissing ? 'There is no git to run.' : `git could not be run: ${error.message}.`, isMissing ? 'Install git, or add it to PATH.' : 'Check that git works here.', { cause: error });
}

/** @throws BridgetapeError `git-failed` with what git says */
export function git(folder: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = tryGit(folder, args, input);
  if (status === 0) return stdout;
  throw new BridgetapeError('git-failed', `git ${args.join(' ')} failed: ${stderr.trim() || `status ${status}`}`, 'See what git says.');
}

/**
 * The top folder of the working tree.
 *
 * @throws BridgetapeError `git-failed` outside of one
 */
export function workingTree(folder: string): string {
  const { status, stdout, stderr } = tryGit(folder, ['rev-parse', '--show-toplevel']);
  if (status === 0) return stdout.replace(/\n$/, '');
  const isNone = /not a git repository/i.test(stderr);
  throw new BridgetapeError('git-failed', isNone ? `${folder} is in no git repository.` : `${folder} is in no working tree of git: ${stderr.trim()}.`, isNone ? 'Go to the repository that has the cassettes, or make one with: git init' : 'Go to a working tree of the repository.');
}
