import { defineConfig } from 'vitest/config';

// Run by test/vitest/fixture.test.ts: tests that are to fail are among them.
export default defineConfig({ test: { include: ['*.sample.ts'], root: import.meta.dirname, testTimeout: 60_000 } });
