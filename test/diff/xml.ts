/** As much of XML 1.0 as a JUnit file needs, read strictly: what this takes, every reader takes. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Its own text, without that of its children. */
  readonly text: string;
}

/** XML 1.0 §2.2: no control characters but three, no surrogates alone, neither U+FFFE nor U+FFFF. */
const CHARS = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** @throws Error for what is not well-formed */
export function parseXml(source: string): Element {
  if (!CHARS.test(source)) throw new Error('a character that XML cannot have');
  const [declaration = ''] = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(source) ?? [];
  if (declaration === '') throw new Error('no XML declaration');
  const [root, rest] = element(source.slice(declaration.length));
  if (rest.trim() !== '') throw new Error(`behind the root: ${rest.slice(0, 40)}`);
  return root;
}

function element(source: string): readonly [Element, string] {
  const [tag = '', name = '', given = '', end = ''] = /^<([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/.exec(source) ?? [];
  if (name === '') throw new Error(`no element: ${source.slice(0, 40)}`);
  const attributes: Record<string, string> = {};
  for (const [, key = '', value = ''] of given.matchAll(/ ([a-z]+)="([^"]*)"/g)) {
    if (key in attributes) throw new Error(`${key} twice`);
    attributes[key] = decoded(value);
  }
  const children: Element[] = [];
  let text = '';
  let rest = source.slice(tag.length);
  if (end === '/') return [{ name, attributes, children, text }, rest];
  while (!rest.startsWith('</')) {
    const [plain = ''] = /^[^<]*/.exec(rest) ?? [];
    if (plain.includes(']]>')) throw new Error(']]> in a text');
    text += decoded(plain);
    rest = rest.slice(plain.length);
    if (rest === '') throw new Error(`${name} has no end`);
    if (rest.startsWith('</')) break;
    const [child, behind] = element(rest);
    children.push(child);
    rest = behind;
  }
  if (!rest.startsWith(`</${name}>`)) throw new Error(`${name} ends with ${rest.slice(0, 40)}`);
  return [{ name, attributes, children, text }, rest.slice(`</${name}>`.length)];
}

function decoded(text: string): string {
  return text.replace(/&([^;&]*;?)/g, (_all, entity: string) => {
    const char = ENTITIES[entity.slice(0, -1)];
    if (char === undefined || !entity.endsWith(';')) throw new Error(`no entity: &${entity.slice(0, 10)}`);
    return char;
  });
}
