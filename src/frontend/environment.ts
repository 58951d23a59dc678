/** The environment that a frontend gets here: the recorded one, or one made of what a client asked for, and what is changed in it. */
import { frontendOptions } from '../bridge/index.js';

/** What the user changes. */
export interface Changes {
  /** Options of the build, by their names: they replace recorded ones or come to them. */
  readonly options: ReadonlyMap<string, string>;
  /** Variables by their names. */
  readonly environment: ReadonlyMap<string, string>;
}

const OPTION = 'BUILDKIT_FRONTEND_OPT_';

/** Where traces go, and which one this is part of: nobody listens there now (BuildKit util/tracing/exec/traceexec.go). */
const OF_TRACES = /^(?:OTEL_.*|TRACEPARENT|TRACESTATE)$/;

/**
 * @param recorded `NAME=value`, in order
 * @returns the same with the changes, and without what belongs to traces
 */
export function environmentFrom(recorded: readonly string[], { options, environment }: Changes): Readonly<Record<string, string>> {
  const result = new Map<string, string>();
  for (const entry of recorded) {
    const at = entry.indexOf('=');
    const name = at === -1 ? entry : entry.slice(0, at);
    if (!OF_TRACES.test(name)) result.set(name, at === -1 ? '' : entry.slice(at + 1));
  }
  const variables = new Map(frontendOptions(recorded).map(({ key, variable }) => [key, variable]));
  let next = 0;
  for (const [key, value] of options) {
    while (!variables.has(key) && result.has(`${OPTION}${next}`)) next += 1;
    result.set(variables.get(key) ?? `${OPTION}${next}`, `${key}=${value}`);
  }
  for (const [name, value] of environment) result.set(name, value);
  return Object.fromEntries(result);
}

/** What a client told the daemon of its build. */
export interface Asked {
  readonly session: string;
  readonly options: readonly (readonly [key: string, value: string])[];
}

/**
 * What buildkitd would have given a frontend for what a client.Build asked for, on top of what is here.
 *
 * @param own this process's environment
 */
export function environmentOfClient(own: Readonly<Record<string, string | undefined>>, { session, options }: Asked): readonly string[] {
  const inherited = Object.entries(own).flatMap(([name, value]) => (value === undefined || name.startsWith('BUILDKIT_') ? [] : [`${name}=${value}`]));
  return [...inherited, ...options.map(([key, value], index) => `${OPTION}${index}=${key}=${value}`), `BUILDKIT_SESSION_ID=${session}`];
}
