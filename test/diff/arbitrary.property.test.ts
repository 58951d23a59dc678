import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';

import { DIFFERENCE_CLASSES, diffJson, diffJunit, diffMarkdown, diffStat, isSame, showDiff, type DiffReport, type Pair } from '../../src/diff/index.js';
import { width } from '../../src/view/index.js';
import { call, report } from './report.js';
import { parseXml } from './xml.js';

/** Everything that a daemon or a client can have sent: control characters, halves of characters, markup, line ends. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\n', '\r', '\t', '\u0000', '\u001b[31m', '\u0085', '\u009b', '\u2028', '\u202e', '\ufeff', '\uffff', '\ud83d', '\ude00', '`', '```', '|', '\\', '<', '&', ']]>', '"', 'a', '字', ' '), maxLength: 40 }),
  fc.constantFrom('', 'make', 'Dockerfile', 'x'.repeat(500)),
);
const side = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<Pair<T>> => fc.record({ before: of, after: of }, { requiredKeys: [] });
const place = fc.nat(9999).map(call);
const op = fc.record({ index: fc.nat(99), name: text, source: fc.record({ file: text, line: fc.nat(99), endLine: fc.nat(99) }) }, { requiredKeys: ['index', 'name'] });
const difference = fc.record(
  {
    class: fc.constantFrom(...DIFFERENCE_CLASSES),
    at: fc.oneof(text, fc.constantFrom('op', 'call', 'build', 'stdout')),
    op: side(op),
    otherOps: fc.array(side(op), { maxLength: 3 }),
    process: side(text),
    value: side(text),
    isText: fc.boolean(),
    isAnnotation: fc.boolean(),
    again: fc.array(side(place), { maxLength: 9 }),
  },
  { requiredKeys: ['class', 'at', 'otherOps', 'value', 'isText', 'isAnnotation', 'again'] },
);
const callDifferences = fc.record({ method: text, calls: side(place), about: text, differences: fc.array(difference, { maxLength: 20 }) }, { requiredKeys: ['method', 'calls', 'differences'] });
const anyReport: fc.Arbitrary<DiffReport> = fc
  .record({ builds: fc.array(fc.record({ name: text, builds: side(fc.nat(9)), calls: fc.array(callDifferences, { maxLength: 4 }) }), { maxLength: 3 }), environment: fc.array(callDifferences, { maxLength: 2 }), notes: fc.array(text, { maxLength: 3 }), path: text })
  .map(({ builds, environment, notes, path }) => {
    const made = report(builds, { environment, notes });
    return { ...made, before: { ...made.before, path, startedAt: new Date(NaN) } };
  });

/** What a terminal acts on but line ends, and what would turn the text around it. */
// eslint-disable-next-line no-control-regex -- these are the characters that are meant
const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u;

// Such a report is made smaller for minutes, and reads well as it is.
test.prop([anyReport, fc.constantFrom(40, 80, 200), fc.boolean()], { numRuns: 50, endOnFailure: true })('every output takes every report, and lets nothing recorded act on a terminal', (any, columns, full) => {
  const shown = [...showDiff(any, { width: columns, full })];
  const [junit, json, markdown, stat] = [[...diffJunit(any, DIFFERENCE_CLASSES, { full })], [...diffJson(any)], diffMarkdown(any, { full }), [...diffStat(any, DIFFERENCE_CLASSES)]].map((lines) => lines.join('\n'));
  for (const text of [shown.join('\n'), junit, json, markdown, stat]) expect(UNSAFE.exec(text ?? '')).toBe(null);
  expect(shown.some((line) => line.includes('\n'))).toBe(false);
  // Notes are wrapped at blanks: a word in them that is longer stands out.
  const notes = shown.findIndex((line) => line.startsWith('note  '));
  if (!full && !isSame(any)) expect(Math.max(...(notes === -1 ? shown : shown.slice(0, notes)).map(width))).toBeLessThanOrEqual(columns);
  expect(JSON.parse(json ?? '')).toMatchObject({ format: 'bridgetape-diff', notes: any.notes });
  expect(parseXml(junit ?? '').name).toBe('testsuites');
  expect(markdown?.length).toBeLessThanOrEqual(65_536);
});
