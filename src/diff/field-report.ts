/** What differs between two messages that stand for each other: by field, op and line, as a reader would say it. */
import { differences, fieldDifferences, type CanonicalField, type Difference as FieldChange } from '../bridge/index.js';
import { loneDetails } from './details.js';
import type { NamedFields } from './form.js';
import type { Difference, DifferenceClass, OpPlace, Pair } from './report.js';
import { isLines, jsonFields, linesMoved, shown, textIn } from './value.js';
import { IMAGE_CONFIG_TIME } from './world-rules.js';

/** `op[2] RUN make`, behind the path of its definition. */
const OP_NAME = /^(.*?)op\[(\d+)\] ([\s\S]*)$/;
/** What is said about an op beside it, or of its own fields. */
const IN_OP = /^(.*?)(?:(metadata|Source\.locations)\[op\[\d+\]\]|op\[\d+\])\.?([\s\S]*)$/;
const IMAGE_CONFIG = /(?:\["containerimage\.config(?:\/[^"]*)?"\]|(?:^|\.)Config)$/;
/** `[build 2/3] RUN make`: how many steps a stage has (frontend/dockerfile/dockerfile2llb/convert.go). */
const STEP_COUNT = /^\[(.*?) ?\d+\/\d+\] /;

/** Differences without those that follow from others of the same message. */
export function reportFields(of: DifferenceClass, before: NamedFields, after: NamedFields): readonly Difference[] {
  const lone = loneDetails(before, after);
  const sides = { before: new Side(lone.before.rest), after: new Side(lone.after.rest) };
  const changes = differences(sides.before.all, sides.after.all);
  const follows = consequences(changes);
  return [
    ...changes.filter((change) => !follows(change)).flatMap((change) => reported(of, change, sides)),
    ...(['before', 'after'] as const).flatMap((side) => lone[side].details.map(({ at, value, isAnnotation }) => ({ class: of, at, value: { [side]: value }, isText: false, isAnnotation, otherOps: [], again: [] }))),
  ];
}

class Side {
  readonly all: readonly CanonicalField[];
  readonly annotations: ReadonlyMap<string, string>;

  constructor({ fields, annotations }: NamedFields) {
    this.all = annotations.length === 0 ? fields : [...fields, ...annotations];
    this.annotations = new Map(annotations);
  }

  place(name: string | undefined): OpPlace | undefined {
    const [, graph = '', index = '', text = ''] = OP_NAME.exec(name ?? '') ?? [];
    if (index === '') return undefined;
    // The name of an op in a request's own definition stands without a path.
    const source = this.source(graph === '' ? 'Definition.' : graph, index);
    return { index: Number(index), name: text, ...(source === undefined ? {} : { source }) };
  }

  private source(graph: string, index: string): OpPlace['source'] {
    const location = `${graph}Source.locations[op[${index}]].locations[0]`;
    const line = Number(this.annotations.get(`${location}.ranges[0].start.line`));
    if (!(line > 0)) return undefined;
    const info = this.annotations.get(`${location}.sourceIndex`) ?? '0';
    const file = textIn(this.annotations.get(`${graph}Source.infos[${info}].filename`) ?? '') ?? '';
    return { file, line, endLine: Math.max(line, Number(this.annotations.get(`${location}.ranges[0].end.line`)) || line) };
  }
}

function reported(of: DifferenceClass, change: FieldChange, { before, after }: { readonly before: Side; readonly after: Side }): readonly Difference[] {
  const { field, recorded, live } = change;
  const op = pair(before.place(change.op?.recorded), after.place(change.op?.live));
  const at = change.op === undefined ? field : withinOp(field);
  const isAnnotation = after.annotations.has(field) || before.annotations.has(field);
  const common = { class: of, ...(op.before === undefined && op.after === undefined ? {} : { op }), isAnnotation, otherOps: [], again: [] };
  const parts = partsOf(at, recorded, live);
  if (parts !== undefined) return parts.map((part) => ({ ...common, ...part }));
  return [{ ...common, ...valueOf(at, recorded, live) }];
}

function withinOp(field: string): string {
  const [, , about = '', rest = ''] = IN_OP.exec(field) ?? [];
  return [about, rest].filter((part) => part !== '').join('.') || 'op';
}

type Value = Pick<Difference, 'at' | 'value' | 'isText'>;

function valueOf(at: string, before: string | undefined, after: string | undefined): Value {
  const isText = isLines(before) || isLines(after);
  const say = (value: string | undefined): string | undefined => (value === undefined ? undefined : isText ? (textIn(value) ?? shown(value)) : shown(value));
  return { at, value: pair(say(before), say(after)), isText };
}

/** JSON in a field is compared member by member; undefined for values that are none. */
function partsOf(at: string, before: string | undefined, after: string | undefined): readonly Value[] | undefined {
  if (before === undefined || after === undefined) return undefined;
  const [was, is] = [jsonFields(textIn(before) ?? ''), jsonFields(textIn(after) ?? '')];
  if (was === undefined || is === undefined) return undefined;
  const isConfig = IMAGE_CONFIG.test(at);
  // The same members in another order, or with other white space, say the same.
  return [...fieldDifferences(was, is)]
    .filter(({ field, recorded, live }) => !(isConfig && recorded !== undefined && live !== undefined && IMAGE_CONFIG_TIME.test(field)))
    .map(({ field, recorded, live }) => valueOf(`${at}${field.startsWith('[') || field === '' ? '' : '.'}${field}`, recorded, live));
}

/** What differs between two sets of values by their paths, which are no message's. */
export function fieldsAsReported(of: DifferenceClass, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly Difference[] {
  return [...fieldDifferences(before, after)].map(({ field, recorded, live }) => ({ class: of, isAnnotation: false, otherOps: [], again: [], ...valueOf(field, recorded, live) }));
}

export function pair<T>(before: T | undefined, after: T | undefined): Pair<T> {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

/**
 * Which changes follow from others: the lines at which ops stand in a file that was changed itself, and the numbers of steps
 * in the names of those around one that was put in or taken out.
 */
function consequences(changes: readonly FieldChange[]): (change: FieldChange) => boolean {
  const files = changes.filter(({ field }) => /Source\.infos\[\d+\]\.data$/.test(field)).map(({ recorded, live }) => linesMoved(textIn(recorded ?? '') ?? '', textIn(live ?? '') ?? ''));
  const isStepChanged = changes.some(({ op, field }) => op !== undefined && (op.recorded === undefined || op.live === undefined) && /op\[\d+\]$/.test(field));
  return ({ field, recorded, live }) => {
    if (recorded === undefined || live === undefined) return false;
    if (/Source\.locations\[.*\.(?:start|end)\.line$/.test(field)) return files.some((moved) => moved(Number(recorded)).includes(Number(live)));
    if (!isStepChanged || !/description\[/.test(field)) return false;
    const [was, is] = [textIn(recorded) ?? '', textIn(live) ?? ''];
    return STEP_COUNT.test(was) && was.replace(STEP_COUNT, '[$1] ') === is.replace(STEP_COUNT, '[$1] ');
  };
}
