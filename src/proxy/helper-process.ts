/**
 * A connection helper: a program that joins its stdin and stdout to a daemon somewhere else, as a stream. It lives as
 * long as the connection, in a session of its own: a Ctrl-C at the terminal is not for it, and ssh asks nothing there.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Duplex } from 'node:stream';

import { BridgetapeError } from '../errors.js';
import { formatAddress, type HelperAddress } from '../socket/index.js';
import { HelperWords } from './helper-words.js';

/** How long it may run on when its connection is over, before it is sent SIGTERM; as long again, before SIGKILL. */
const PATIENCE_MS = 3_000;
/**
 * How long its stdout and stderr are read on when it has ended: what it started may hold them open for ever. And how
 * long its end is awaited when it has closed stdout: a client that hears of that first would seem to have left first.
 */
const LAST_WORDS_MS = 500;

/** Emits `connect` once the program runs. */
export class HelperProcess extends Duplex {
  private readonly words: HelperWords;
  private child: ChildProcess | undefined;
  /** How it ended, once it has: `status 1`. */
  private outcome: string | undefined;
  private endedFirst = false;

  /** @param say gets each line of its stderr */
  constructor(
    private readonly address: HelperAddress,
    say: (line: string) => void,
  ) {
    super({ allowHalfOpen: true });
    this.words = new HelperWords(address.command[0], say);
    this.once('end', () => this.endIfOver());
    try {
      this.start();
    } catch (error) {
      // Some reasons are thrown, an argument list that is too long for one.
      process.nextTick(() => this.destroy(this.notStarted(error)));
    }
  }

  private start(): void {
    const [program, ...args] = this.address.command;
    const child = spawn(program, args, { stdio: 'pipe', detached: true });
    this.child = child;
    child.once('spawn', () => this.emit('connect'));
    child.once('error', (error) => this.destroy(this.notStarted(error)));
    child.once('exit', (status, signal) => {
      this.outcome = signal === null ? `status ${status ?? 'unknown'}` : signal;
      this.endedFirst = !this.writableEnded;
      if (child.stdout.closed) this.push(null);
      else child.stdout.resume();
      const late = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, LAST_WORDS_MS);
      child.once('close', () => clearTimeout(late));
      if (this.readableEnded) this.endIfOver();
    });
    // It reads no more: its end follows, and says why.
    child.stdin.on('error', () => this.dismiss());
    child.stderr.on('data', (chunk: Buffer) => this.words.hear(chunk));
    child.stdout.on('data', (chunk: Buffer) => {
      // What it left in its pipe is taken at once when it has ended: nobody knows for how long that stands open.
      if (!this.push(chunk) && this.outcome === undefined) child.stdout.pause();
    });
    child.stdout.once('close', () => {
      if (this.outcome !== undefined) {
        this.push(null);
        return;
      }
      const late = setTimeout(() => this.push(null), LAST_WORDS_MS);
      child.once('exit', () => clearTimeout(late));
    });
  }

  override _read(): void {
    this.child?.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.child?.stdin?.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.child?.stdin?.end(() => done());
  }

  /** Waits for its end, so that nobody is left behind when this is closed. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { child } = this;
    if (child?.pid === undefined) {
      done(error);
      return;
    }
    const over = (): void => {
      this.words.end();
      done(error);
    };
    child.stdin?.destroy();
    child.stdout?.destroy();
    if (this.outcome !== undefined && (child.stderr?.closed ?? true)) over();
    else child.once('close', over);
    this.dismiss();
  }

  /** Closes it when what was written is out, or when the program does not take it. */
  destroySoon(): void {
    if (this.destroyed) return;
    this.end(() => this.destroy());
    const late = setTimeout(() => this.destroy(), PATIENCE_MS);
    this.once('close', () => clearTimeout(late));
  }

  /** Its end is the connection's, once all that it said is read, unless the client had ended before. */
  private endIfOver(): void {
    if (!this.endedFirst) return;
    this.destroy(
      new BridgetapeError(
        'upstream-unreachable',
        `${this.program} ended with ${this.outcome}, and the connection to BuildKit at ${formatAddress(this.address)} with it.`,
        'What it said stands above. Run it by hand to see more.',
      ),
    );
  }

  private notStarted(cause: unknown): BridgetapeError {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why = code === 'ENOENT' ? 'there is no such program' : cause instanceof Error ? cause.message : String(cause);
    return new BridgetapeError('upstream-unreachable', `Cannot run ${this.address.command[0]} to reach BuildKit at ${formatAddress(this.address)}: ${why}.`, 'Install it, or look at PATH.', { cause });
  }

  private get program(): string {
    return `"${this.address.command.join(' ')}"`;
  }

  /** Ends it if it does not end by itself, and what it started with it. */
  private dismiss(): void {
    const { child } = this;
    if (child?.pid === undefined || this.outcome !== undefined) return;
    const { pid } = child;
    const signal = (name: NodeJS.Signals): void => {
      try {
        process.kill(-pid, name);
      } catch {
        // It has ended meanwhile.
      }
    };
    const gentle = setTimeout(() => signal('SIGTERM'), PATIENCE_MS);
    const firm = setTimeout(() => signal('SIGKILL'), 2 * PATIENCE_MS);
    child.once('exit', () => {
      clearTimeout(gentle);
      clearTimeout(firm);
    });
  }
}
