// What `buildctl --progress=plain` printed, in a form in which two runs of one build can be compared: without times,
// with each vertex's lines together, and vertices in an order that does not depend on which came first.

export interface ProgressOptions {
  /** Ops that name the session have other digests in each build, and so have the ops that stand on them. */
  readonly digests?: 'keep' | 'hide';
}

/** `#7 0.123 text`, `#7 DONE 0.1s`, `#7 ...`; what has no number is the client's own word. */
const NUMBERED = /^#(\d+) (.*)$/;

/** Up to v0.8 the printer names the op's digest behind its name. */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The vertices, sorted, each with its lines; then the client's own words, in their order. */
export function progressLines(output: string, { digests = 'hide' }: ProgressOptions = {}): readonly string[] {
  const vertices = new Map<string, string[]>();
  const own: string[] = [];
  let current = '';
  for (const line of output.split('\n')) {
    const [, printed, text = ''] = NUMBERED.exec(line) ?? [];
    if (printed === undefined) {
      if (line !== '') own.push(withoutTimes(line));
      continue;
    }
    // v0.11 numbers a vertex's first output 0.
    const number = printed === '0' ? current : printed;
    current = number;
    const lines = vertices.get(number) ?? [];
    vertices.set(number, lines);
    // The name, and the digest with it, come again when the printer comes back to a vertex.
    const again = lines.length > 0 && (text === lines[0] || DIGEST.test(text)) && lines.includes(text);
    if (!again && !isPassing(text)) lines.push(withoutTimes(text));
  }
  const all = [...vertices.values()].map((lines) => outcomeLast(lines).join('\n  ')).sort();
  return [...all, ...own].map((text) => (digests === 'hide' ? text.replace(/sha256:[0-9a-f]{64}/g, 'sha256:…') : text));
}

/** A vertex whose last status comes behind its end is told to be done before and after. */
function outcomeLast(lines: readonly string[]): readonly string[] {
  const isOutcome = (line: string): boolean => /^(DONE|CACHED|CANCELED|ERROR\b.*)$/.test(line);
  return [...lines.filter((line) => !isOutcome(line)), ...new Set(lines.filter(isOutcome))];
}

/** Lines that come as often as there was time to print them. */
function isPassing(text: string): boolean {
  return text === '...' || (/^(transferring|exporting|sending|copying|writing) /.test(text) && !text.endsWith(' done'));
}

function withoutTimes(text: string): string {
  return text
    .replace(/^\d+\.\d+(?= |$)/, '')
    .replace(/^(DONE|ERROR|CANCELED|CACHED) \d+\.\d+s$/, '$1')
    .replace(/ \d+\.\d+s done$/, ' done');
}
