import { expect, it } from 'vitest';

import { frontendOptions } from '../../src/bridge/index.js';

it("a frontend's options are read out of its environment, and nothing else is", () => {
  expect(frontendOptions(['PATH=/bin', 'BUILDKIT_FRONTEND_OPT_3=build-arg:A=b=c', 'BUILDKIT_FRONTEND_OPT_0=target=', 'BUILDKIT_SESSION_ID=x'])).toEqual([
    { variable: 'BUILDKIT_FRONTEND_OPT_3', key: 'build-arg:A', value: 'b=c' },
    { variable: 'BUILDKIT_FRONTEND_OPT_0', key: 'target', value: '' },
  ]);
});

it('an option without a value has the empty one, as for BuildKit', () => {
  expect(frontendOptions(['BUILDKIT_FRONTEND_OPT_0=no-cache', 'BUILDKIT_FRONTEND_OPT_x'])).toEqual([
    { variable: 'BUILDKIT_FRONTEND_OPT_0', key: 'no-cache', value: '' },
    { variable: 'BUILDKIT_FRONTEND_OPT_x', key: '', value: '' },
  ]);
});
