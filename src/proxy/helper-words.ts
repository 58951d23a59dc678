/** What a connection helper says on stderr, line by line and in bounds: it may be the words of another machine. */
import { StringDecoder } from 'node:string_decoder';

/** A line of more characters is cut there: no terminal shows more at a glance. */
export const MAX_LINE = 1_000;
/** Lines of one connection: enough for any complaint, too few to bury the build's own output. */
export const MAX_LINES = 200;

/** Control characters, which could play tricks on a terminal. */
// eslint-disable-next-line no-control-regex -- that is what it looks for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

export class HelperWords {
  private readonly decoder = new StringDecoder('utf8');
  private line = '';
  private lines = 0;

  /** @param say gets each line, without its end, the program's name before it */
  constructor(
    private readonly program: string,
    private readonly say: (line: string) => void,
  ) {}

  hear(chunk: Buffer): void {
    const pieces = this.decoder.write(chunk).split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      this.grow(piece);
      this.utter();
    }
    this.grow(last);
  }

  /** What has no end of line yet is said too. */
  end(): void {
    this.grow(this.decoder.end());
    if (this.line !== '') this.utter();
  }

  private grow(piece: string): void {
    // One character more than is shown, so that it is known to have been cut.
    if (this.line.length <= MAX_LINE) this.line += piece.slice(0, MAX_LINE + 1 - this.line.length);
  }

  private utter(): void {
    const text = this.line.replace(/\r$/, '').replace(CONTROL, '\ufffd');
    this.line = '';
    this.lines += 1;
    if (this.lines > MAX_LINES + 1) return;
    const shown = text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text;
    this.say(`${this.program}: ${this.lines > MAX_LINES ? 'and more, which is not shown' : shown}`);
  }
}
