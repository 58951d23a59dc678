import { defineConfig } from 'vitest/config';

// Real daemons on a small machine: one file at a time, and room for a first Go build.
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 900_000,
  },
});
