/**
 * How a fault is written: METHOD[#N][@POINT]=WHAT[:ARGUMENT], as in `ReadFile#2=UNAVAILABLE` or
 * `ExecProcess@1500ms=reset`. Whatever can be said of it without a cassette is checked here.
 */
import { STATUS_NAMES } from '../bridge/index.js';
import { BridgetapeError } from '../errors.js';
import { closestName } from './closest-name.js';
import { DAY_MS, EFFECT_NAMES, ERROR_CODE_NAMES, FAULT_KINDS, kindOf, MOST, POINTS, type Effect, type Fault, type FaultKind, type Point } from './fault.js';

/** The text of a status goes over the wire in a header list; clients take at least 8 KiB of it. */
const MAX_SPEC_CHARS = 4096;
/** So much of a SPEC is repeated in an error. */
const MAX_SHOWN_CHARS = 100;

const MORE = 'bridgetape replay --help faults lists what there is.';

/** @throws BridgetapeError `bad-argument`, with what is wrong in it, where, and what is allowed */
export function parseFault(spec: string): Fault {
  if (spec.length > MAX_SPEC_CHARS) throw refusal(spec, 0, `is ${spec.length} characters long`, `It can have ${MAX_SPEC_CHARS}.`);
  const equals = spec.indexOf('=');
  if (equals < 0) throw refusal(spec, spec.length, 'has no "=", so it does not say what is to happen', 'Write it as ReadFile#2=UNAVAILABLE.');
  const where = spec.slice(0, equals);
  const at = where.includes('@') ? where.indexOf('@') : where.length;
  const hash = where.slice(0, at).includes('#') ? where.indexOf('#') : at;
  const method = where.slice(0, hash);
  if (method === '') throw refusal(spec, 0, 'names no method', 'Begin it with a method, such as ReadFile, or with * for all.');
  const nth = hash === at ? undefined : parseNth(spec, hash + 1, where.slice(hash + 1, at));
  const point = at === where.length ? undefined : parsePoint(spec, at + 1, where.slice(at + 1));
  const effect = parseEffect(spec, equals + 1);
  checkPoint(spec, at, point, kindOf(effect));
  return { method, nth, point, effect };
}

/** The SPEC of a fault: {@link parseFault} makes the same fault of it. */
export function formatFault({ method, nth, point, effect }: Fault): string {
  return `${method}${nth === undefined ? '' : `#${nth}`}${point === undefined ? '' : `@${formatPoint(point)}`}=${formatEffect(effect)}`;
}

// ---- where

function parseNth(spec: string, from: number, text: string): number {
  const nth = /^\d+$/.test(text) ? Number(text) : 0;
  if (nth < 1 || nth > MOST) throw refusal(spec, from, `has "${text}" for the number of a call`, 'Calls of a method are counted from 1: ReadFile#1 is the first. Without # every call is meant.');
  return nth;
}

function parsePoint(spec: string, from: number, text: string): Point {
  const ms = parseDuration(text);
  if (ms !== undefined) return { kind: 'time', ms };
  const messages = /^(\d+)messages?$/.exec(text)?.[1];
  const count = messages === undefined ? parseSize(text) : Number(messages);
  if (count !== undefined && count >= 1 && count <= MOST) return { kind: messages === undefined ? 'bytes' : 'messages', count };
  throw refusal(spec, from, `has "${text}" for the moment of the call at which it sets in`, `That is one of ${POINTS.map(({ form }) => form).join(', ')}.`);
}

function checkPoint(spec: string, at: number, point: Point | undefined, { kind, points }: FaultKind): void {
  if (point === undefined || points.includes(point.kind)) return;
  const name = kind === 'status' ? 'a status' : kind;
  const allowed = POINTS.filter((row) => points.includes(row.kind));
  const hint = allowed.length === 0 ? `Leave out the @: ${name} sets in when the call comes.` : `With ${name} it can be ${allowed.map(({ form }) => form).join(', ')}.`;
  throw refusal(spec, at, `lets ${name} set in after so many ${point.kind === 'time' ? 'seconds' : point.kind}`, hint);
}

function formatPoint(point: Point): string {
  switch (point.kind) {
    case 'time':
      return formatDuration(point.ms);
    case 'messages':
      return `${point.count}message${point.count === 1 ? '' : 's'}`;
    case 'bytes':
      return formatSize(point.count);
  }
}

// ---- what

function parseEffect(spec: string, from: number): Effect {
  const what = spec.slice(from);
  const colon = what.indexOf(':');
  const name = colon < 0 ? what : what.slice(0, colon);
  const argument = colon < 0 ? undefined : what.slice(colon + 1);
  const code = numbered(name, STATUS_NAMES);
  const row = FAULT_KINDS.find(({ kind }) => kind === (code === undefined ? name : 'status'));
  if (row === undefined || name === 'status') throw refusal(spec, from, name === '' ? 'does not say what is to happen' : `has "${name}" for what is to happen`, suggestion(name, EFFECT_NAMES));
  return withArgument(spec, from + name.length + 1, row, argument, code ?? 0);
}

function withArgument(spec: string, from: number, { kind, form, argument: takes }: FaultKind, argument: string | undefined, status: number): Effect {
  const bad = (): BridgetapeError => refusal(spec, from, argument === undefined ? `leaves out what ${kind} needs behind it` : `has "${argument}" behind ${kind === 'status' ? 'its status' : kind}`, `Write it as ${form}.`);
  switch (kind) {
    case 'status':
      if (argument === '') throw bad();
      return { kind, code: status, message: argument };
    case 'end':
    case 'reset':
    case 'hang':
      if (argument !== undefined) throw bad();
      return { kind };
    case 'RST_STREAM':
    case 'GOAWAY': {
      const code = argument === undefined && takes.kind === 'error-code' ? takes.default : numbered(argument ?? '', ERROR_CODE_NAMES);
      if (code === undefined) throw refusal(spec, from, `has "${argument ?? ''}" for an error code of HTTP/2`, suggestion(argument ?? '', ERROR_CODE_NAMES));
      return { kind, code };
    }
    case 'delay':
    case 'delay-each': {
      const ms = parseDuration(argument ?? '');
      if (ms === undefined) throw bad();
      return { kind, ms };
    }
    case 'slow-read': {
      const bytesPerSecond = argument?.endsWith('/s') === true ? parseSize(argument.slice(0, -2)) : undefined;
      if (bytesPerSecond === undefined || bytesPerSecond < 1) throw bad();
      return { kind, bytesPerSecond };
    }
  }
}

function formatEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'status':
      return `${STATUS_NAMES[effect.code] ?? effect.code}${effect.message === undefined ? '' : `:${effect.message}`}`;
    case 'end':
    case 'reset':
    case 'hang':
      return effect.kind;
    case 'RST_STREAM':
    case 'GOAWAY':
      return `${effect.kind}:${ERROR_CODE_NAMES[effect.code] ?? effect.code}`;
    case 'delay':
    case 'delay-each':
      return `${effect.kind}:${formatDuration(effect.ms)}`;
    case 'slow-read':
      return `slow-read:${formatSize(effect.bytesPerSecond)}/s`;
  }
}

/** The number of a name, or of a number that has one. */
function numbered(text: string, names: readonly string[]): number | undefined {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : names.indexOf(text);
  return number >= 0 && number < names.length ? number : undefined;
}

// ---- quantities

type Units = readonly (readonly [unit: string, of: number])[];

const DURATIONS: Units = [['min', 60_000], ['s', 1000], ['ms', 1]];
const SIZES: Units = [['MiB', 1024 * 1024], ['KiB', 1024], ['B', 1]];

function parseDuration(text: string): number | undefined {
  const ms = parseQuantity(text, DURATIONS);
  return ms === undefined || ms > DAY_MS ? undefined : ms;
}

const parseSize = (text: string): number | undefined => parseQuantity(text, SIZES);
const formatDuration = (ms: number): string => formatQuantity(ms, DURATIONS);
const formatSize = (bytes: number): string => formatQuantity(bytes, SIZES);

function parseQuantity(text: string, units: Units): number | undefined {
  const [, number = '', unit] = /^(\d{1,15}(?:\.\d{1,9})?)([A-Za-z]+)$/.exec(text) ?? [];
  const [, of] = units.find(([name]) => name === unit) ?? [];
  if (of === undefined) return undefined;
  const quantity = Math.round(Number(number) * of);
  return quantity <= MOST ? quantity : undefined;
}

/** In the largest unit of which it is a whole number. */
function formatQuantity(quantity: number, units: Units): string {
  const [unit, of] = units.find(([, it]) => quantity >= it && quantity % it === 0) ?? units.at(-1) ?? ['', 1];
  return `${quantity / of}${unit}`;
}

// ---- errors

function suggestion(name: string, known: readonly string[]): string {
  const closest = closestName(name, known);
  return closest === undefined ? `There is ${known.join(', ')}.` : `Did you mean ${closest}?`;
}

/** @param at where in the SPEC, from 0 */
export function refusal(spec: string, at: number, what: string, hint: string): BridgetapeError {
  const shown = spec.length > MAX_SHOWN_CHARS ? `${spec.slice(0, MAX_SHOWN_CHARS)}…` : spec;
  return new BridgetapeError('bad-argument', `The fault "${shown}" ${what} (character ${at + 1}).`, `${hint} ${MORE}`);
}
