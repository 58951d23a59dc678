// Runs scenarios against the service that BUILDKIT_HOST names, and prints what it saw of each, a line of JSON:
// main.ts grpc-js|connect-es [--deadline MS] [--compress] SCENARIO...
import { parseArgs } from 'node:util';
import { connectStack } from './connect.js';
import { grpcJsStack } from './grpc-js.js';
import { Scenarios } from './scenarios.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { deadline: { type: 'string', default: '60000' }, compress: { type: 'boolean', default: false } } });
const [kind, ...names] = positionals;
const address = process.env['BUILDKIT_HOST'] ?? '';
const stack = (kind === 'connect-es' ? connectStack : grpcJsStack)(address, values.compress);
const { all } = new Scenarios(stack, Number(values.deadline));
for (const name of names) {
  const run = all[name];
  if (run === undefined) throw new Error(`no scenario ${name}`);
  process.stdout.write(`${JSON.stringify({ scenario: name, calls: await run() })}\n`);
}
stack.close();
