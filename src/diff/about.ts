/** What a call is about, in a few words: the file that is read, the image, the command. */
import { EXEC_PROCESS, type CanonicalField } from '../bridge/index.js';
import { readExec } from './exec.js';
import type { Forms } from './form.js';
import type { RecordedCall } from './recorded.js';
import { textIn } from './value.js';

/** The first of these that a request has. */
const TELLING = ['FilePath', 'DirPath', 'Path', 'Source.identifier', 'Frontend', 'short'] as const;
const MAX_ABOUT = 80;

export function aboutCall(call: RecordedCall, forms: Forms): string | undefined {
  if (call.path === EXEC_PROCESS) return cut(readExec(call).map(({ name }) => name).join(', '));
  const { fields } = forms.requestFields(call);
  const values = new Map(fields);
  for (const field of TELLING) {
    const value = values.get(field);
    if (value !== undefined) return cut(textIn(value) ?? value);
  }
  return cut(lastOp(fields));
}

/** Most graphs are known by what is done last. */
function lastOp(fields: readonly CanonicalField[]): string {
  const telling = fields.findLast(([path]) => /^Definition\.op\[\d+\]\.(?:exec\.meta\.args\[\d+\]|source\.identifier|file\.actions\[\d+\]\.\w+\.(?:dest|path))$/.test(path));
  return telling === undefined ? '' : (textIn(telling[1]) ?? '');
}

function cut(text: string): string | undefined {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line === '') return undefined;
  return line.length > MAX_ABOUT ? `${line.slice(0, MAX_ABOUT).replace(/[\ud800-\udbff]$/, '')}…` : line;
}
