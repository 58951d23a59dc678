import { describe, expect, it } from 'vitest';
import { daemonSpecs } from '../../src/compare/index.js';

const A = 'a=unix:///run/a.sock';

describe('--daemon', () => {
  it('is a name and an address, each as it was written', async () => {
    expect(await daemonSpecs([A, 'b-2.x=tcp://127.0.0.1:1234'], {})).toEqual([
      { name: 'a', kind: 'running', address: { kind: 'unix', path: '/run/a.sock' }, tls: {} },
      { name: 'b-2.x', kind: 'running', address: { kind: 'tcp', host: '127.0.0.1', port: 1234 }, tls: {} },
    ]);
  });

  it('can have an address with = in it', async () => {
    expect((await daemonSpecs([A, 'b=unix:///run/x=y'], {}))[1]).toMatchObject({ name: 'b', address: { path: '/run/x=y' } });
  });

  it.each([
    [[], /needs two daemons, and none was named/],
    [[A], /needs two daemons, and one was named/],
    [[A, 'unix:///b'], /"unix:\/\/\/b", which has no name before/],
    [[A, '../b=unix:///b'], /no name of letters, digits/],
    [[A, '=unix:///b'], /no name of letters, digits/],
    [[A, `${'b'.repeat(65)}=unix:///b`], /no name of letters, digits/],
    [[A, 'a=unix:///b'], /Two daemons are called "a"/],
    [[A, 'b='], /Cannot use the address ""/],
    [Array.from({ length: 33 }, (_, index) => `d${index}=unix:///d`), /33 daemons are too many/],
  ])('%j is refused', async (texts, message) => {
    await expect(daemonSpecs(texts, {})).rejects.toThrow(message);
  });

  it('takes TLS only where a daemon is at tcp://', async () => {
    await expect(daemonSpecs([A, 'b=unix:///b'], { authority: 'ca.pem' })).rejects.toThrow(/none is there/);
    await expect(daemonSpecs([A, 'b=tcp://localhost:1'], { authority: '/nowhere/ca.pem' })).rejects.toThrow(/\/nowhere\/ca\.pem/);
  });
});
