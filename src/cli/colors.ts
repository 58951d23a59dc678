/** Colours for a terminal that takes them. */
import type { WriteStream } from 'node:tty';
import pc from 'picocolors';

/** Colours when the stream is a terminal and nobody has said no (no-color.org). */
export function colorsFor(stream: Pick<WriteStream, 'isTTY'>): ReturnType<typeof pc.createColors> {
  const { NO_COLOR, TERM } = process.env;
  return pc.createColors(stream.isTTY && !NO_COLOR && TERM !== 'dumb');
}
