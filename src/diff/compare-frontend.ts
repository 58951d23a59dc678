/** How a container frontend was run, in two recordings: what it was given, and how it ended. */
import { frontendOptions, sha256 } from '../bridge/index.js';
import type { FrontendExit, FrontendRun } from '../cassette/index.js';
import { fieldsAsReported, reportFields } from './field-report.js';
import type { NamedFields, Sides, Forms } from './form.js';
import type { Difference } from './report.js';

/** New for each run, or about who is told of it (frontend/gateway/gateway.go). */
const VOLATILE = /^(?:BUILDKIT_SESSION_ID|BUILDKIT_FRONTEND_OPT_.*|BUILDKIT_WORKERS|OTEL_.*|TRACEPARENT|TRACESTATE|HOSTNAME)=/;

export function compareFrontends(before: FrontendRun, after: FrontendRun, forms: Sides): readonly Difference[] {
  return [
    ...fieldsAsReported('environment', fieldsOf(before), fieldsOf(after)),
    ...fieldsAsReported('errors', exitOf(before.exit), exitOf(after.exit)),
    ...compareFiles(before, after, forms),
  ];
}

const quoted = (text: string): string => JSON.stringify(text);

function fieldsOf({ arguments: argv, environment, directory, user }: FrontendRun): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  argv.forEach((word, index) => fields.set(`arguments[${index}]`, quoted(word)));
  for (const { key, value } of [...frontendOptions(environment)].sort((one, other) => (one.key < other.key ? -1 : 1))) fields.set(`options[${quoted(key)}]`, quoted(value));
  for (const entry of environment.filter((variable) => !VOLATILE.test(variable)).sort()) {
    const at = entry.indexOf('=');
    fields.set(`environment[${quoted(at === -1 ? entry : entry.slice(0, at))}]`, quoted(at === -1 ? '' : entry.slice(at + 1)));
  }
  fields.set('directory', quoted(directory));
  fields.set('user', `${user.uid}:${user.gid}`);
  user.additionalGids.forEach((gid, index) => fields.set(`additionalGids[${index}]`, String(gid)));
  return fields;
}

function exitOf(exit: FrontendExit | undefined): ReadonlyMap<string, string> {
  if (exit === undefined) return new Map();
  return new Map([['exit', 'status' in exit ? String(exit.status) : exit.signal]]);
}

const DEFINITION = /\/frontend\.bin$/;

function compareFiles(before: FrontendRun, after: FrontendRun, forms: Sides): readonly Difference[] {
  const [was, is] = [new Map(before.files.map(({ path, data }) => [path, data])), new Map(after.files.map(({ path, data }) => [path, data]))];
  return [...new Set([...was.keys(), ...is.keys()])].sort().flatMap((path) => {
    const [one, other] = [was.get(path), is.get(path)];
    const at = `files[${quoted(path)}]`;
    if (one === undefined || other === undefined || !DEFINITION.test(path)) return fieldsAsReported('environment', fileOf(at, one), fileOf(at, other));
    // The definition of a frontend's image is compared as one.
    const fields = (data: Uint8Array, side: Forms): NamedFields => ({ fields: side.named('pb.Definition', data).fields.map(([field, value]) => [`${at}.${field}`, value]), annotations: [] });
    return reportFields('environment', fields(one, forms.before), fields(other, forms.after));
  });
}

function fileOf(at: string, data: Uint8Array | undefined): ReadonlyMap<string, string> {
  return data === undefined ? new Map() : new Map([[at, `${data.length} bytes ${sha256(data)}`]]);
}
