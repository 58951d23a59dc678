// Adds up what the steps of .ci/run reported, prints it as the last line, and fails when anything did.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
const runs = new Set();
for (const name of readdirSync(folder)) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  if (name.endsWith('.vitest.json')) {
    runs.add(name);
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests + report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
    total.skipped += report.numPendingTests + report.numTodoTests;
  } else {
    total.passed += report.passed;
    total.failed += report.failed;
  }
}
// A run that left no report did not run.
for (const name of ['unit.vitest.json', 'interop.vitest.json', 'typescript-frontend.vitest.json']) if (!runs.has(name)) total.failed += 1;
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
