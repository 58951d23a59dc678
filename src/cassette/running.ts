import { errorCode } from './disk.js';

/** Whether there is such a process: one that writes may be left alone then. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
