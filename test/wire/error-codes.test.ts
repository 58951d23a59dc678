import { expect, test } from 'vitest';
import { errorCodeName } from '../../src/wire/index.js';

test.each([
  [0, 'NO_ERROR'],
  [2, 'INTERNAL_ERROR'],
  [8, 'CANCEL'],
  [11, 'ENHANCE_YOUR_CALM'],
  [13, 'HTTP_1_1_REQUIRED'],
  [14, 'unknown error code 0xe'],
  [0xffffffff, 'unknown error code 0xffffffff'],
])('%d is %s', (code, name) => {
  expect(errorCodeName(code)).toBe(name);
});
