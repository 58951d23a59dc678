/** Colours for a terminal that takes them. */
import pc from 'picocolors';

/**
 * Colours when the stream is a terminal and nobody has said no (no-color.org).
 *
 * @param stream what is no terminal does not know that it is none
 */
export function colorsFor(stream: { readonly isTTY?: boolean | undefined }): ReturnType<typeof pc.createColors> {
  const { NO_COLOR, TERM } = process.env;
  // Never undefined: then picocolors decides by itself, and takes CI for a terminal.
  return pc.createColors(stream.isTTY === true && !NO_COLOR && TERM !== 'dumb');
}
