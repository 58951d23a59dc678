// What is measured: the steps of a plan for the load generator, and the figures read off its results.

/**
 * @typedef {object} Step one measurement of `bridgebench load`, see bench/go/load.go
 * @property {string} name
 * @property {'Ping' | 'ReadFile' | 'Solve' | 'ExecProcess' | 'Idle'} method
 * @property {number} [callers]
 * @property {number} [calls]
 * @property {number} [warmup]
 * @property {number} [size]
 * @property {number} [messages]
 * @property {number} [warmupMessages]
 * @property {number} [processes] that write so many messages each, one after the other
 * @property {'text' | 'random'} [fill]
 */

/**
 * @typedef {object} StepResult
 * @property {string} name
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} [p50Ms]
 * @property {number} [p99Ms]
 * @property {number} [mibPerSecond]
 */

/**
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} title
 * @property {string} step the step that it is read from
 * @property {'lower' | 'higher'} better
 * @property {(result: StepResult) => number} read
 * @property {(value: number) => string} format
 * @property {boolean} goal whether recording is to be no slower than socat on it
 * @property {number} [replayLimit] what its ratio of replayed to live is to reach
 */

const counted = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
/** @param {number} value */
export const count = (value) => counted.format(value);

/** @type {readonly Figure[]} */
export const figures = [
  {
    name: 'unary',
    title: 'sequential unary, p50 (ms)',
    step: 'unary',
    better: 'lower',
    read: ({ p50Ms = NaN }) => p50Ms,
    format: (value) => value.toFixed(3),
    goal: true,
    replayLimit: 0.8,
  },
  {
    name: 'unary-p99',
    title: 'sequential unary, p99 (ms)',
    step: 'unary',
    better: 'lower',
    read: ({ p99Ms = NaN }) => p99Ms,
    format: (value) => value.toFixed(3),
    goal: false,
  },
  {
    name: 'calls',
    title: '32 callers (calls/s)',
    step: 'calls',
    better: 'higher',
    read: ({ perSecond }) => perSecond,
    format: count,
    goal: true,
    replayLimit: 1.1,
  },
  {
    name: 'solves',
    title: '32 callers, Solve (calls/s)',
    step: 'solves',
    better: 'higher',
    read: ({ perSecond }) => perSecond,
    format: count,
    goal: false,
  },
  {
    name: 'exec64',
    title: '64 B exec output (messages/s)',
    step: 'exec64',
    better: 'higher',
    read: ({ perSecond }) => perSecond,
    format: count,
    goal: true,
    replayLimit: 0.9,
  },
  {
    name: 'exec32k',
    title: '32 KiB exec output (MiB/s)',
    step: 'exec32k',
    better: 'higher',
    read: ({ mibPerSecond = NaN }) => mibPerSecond,
    format: count,
    goal: true,
    replayLimit: 0.9,
  },
];

/**
 * The steps that a set of figures needs.
 * @param {readonly Figure[]} wanted
 * @param {Readonly<Record<string, number>>} counts calls or messages of each step
 * @param {number} scale 1, or less to be quick
 * @returns {Step[]}
 */
export function plan(wanted, counts, scale) {
  return [...new Set(wanted.map(({ step }) => step))].map((name) => {
    const measured = Math.max(100, Math.round((counts[name] ?? 0) * scale));
    const warmup = Math.ceil(measured / 20);
    switch (name) {
      case 'unary':
        return { name, method: 'ReadFile', callers: 1, calls: measured, warmup, size: 256 };
      case 'calls':
        return { name, method: 'ReadFile', callers: 32, calls: measured, warmup, size: 256 };
      case 'solves':
        return { name, method: 'Solve', callers: 32, calls: measured, warmup };
      case 'exec64':
        return { name, method: 'ExecProcess', messages: measured, warmupMessages: warmup, processes: 3, size: 64, fill: 'text' };
      case 'exec32k':
        return { name, method: 'ExecProcess', messages: measured, warmupMessages: warmup, size: 32768, fill: 'text' };
      default:
        throw new Error(`no step is called ${name}`);
    }
  });
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/**
 * @typedef {object} Goal
 * @property {string} what
 * @property {number} measured
 * @property {number} limit
 * @property {'lower' | 'higher'} better
 * @property {(value: number) => string} format
 */

/** @param {Goal} goal */
export function verdict({ measured, limit, better, format }) {
  const short = better === 'lower' ? measured / limit - 1 : 1 - measured / limit;
  const outcome = short <= 0 ? 'met' : `short by ${(short * 100).toFixed(short < 0.1 ? 1 : 0)} %`;
  return { met: short <= 0, text: `${format(measured)}, goal ${better === 'lower' ? '≤' : '≥'} ${format(limit)}: ${outcome}` };
}
