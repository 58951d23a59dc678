import { describe, expect, it } from 'vitest';

import { formatAddress, parseAddress } from '../../src/socket/index.js';

describe('an address', () => {
  it.each([
    ['unix:///run/buildkit/buildkitd.sock', { kind: 'unix', path: '/run/buildkit/buildkitd.sock' }],
    ['unix://relative.sock', { kind: 'unix', path: 'relative.sock' }],
    ['tcp://127.0.0.1:1234', { kind: 'tcp', host: '127.0.0.1', port: 1234 }],
    ['tcp://[::1]:1234', { kind: 'tcp', host: '::1', port: 1234 }],
  ] as const)('is read and written as buildctl has it: %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(parseAddress(text))).toBe(text);
  });

  it.each([
    ['/run/buildkit/buildkitd.sock', 'it has no scheme'],
    ['unix://', 'the socket path is empty'],
    [`unix:///${'x'.repeat(107)}`, 'the socket path has 108 bytes'],
    ['tcp://localhost', 'what follows tcp:// is not host:port'],
    ['tcp://localhost:70000', '70000 is no port'],
    ['docker-container://buildkitd', 'needs a connection helper'],
    ['http://localhost:80', 'http:// is not a scheme'],
    ['', 'it has no scheme'],
  ])('that cannot be used says why: %s', (text, why) => {
    expect(() => parseAddress(text)).toThrow(why);
  });
});
