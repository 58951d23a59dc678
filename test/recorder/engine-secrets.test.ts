import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it, test } from 'vitest';

import { enginePath, keepsAnswer, keptAnswer, keptFields, keptTarget, REDACTED } from '../../src/recorder/engine-secrets.js';
import type { HeaderField } from '../../src/wire/index.js';

const field = (name: string, value: string): HeaderField => ({ name, value: Buffer.from(value) });
const masked = (content: string): string => Buffer.from(keptAnswer(Buffer.from(content)) ?? []).toString();

describe('header fields', () => {
  it.each(['x-registry-auth', 'x-registry-config', 'authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-identity-token', 'www-authenticate', 'location', 'x-meta-anything', 'baggage'])('lose the value of %s', (name) => {
    const [kept] = keptFields([field(name, 'hunter2')]);
    expect(kept?.name).toBe(name);
    expect(Buffer.from(kept?.value ?? []).toString()).toBe(REDACTED);
  });

  it('keep what says how to read a message, who speaks, and the session', () => {
    const fields = ['host', 'upgrade', 'content-length', 'content-type', 'api-version', 'x-docker-expose-session-uuid'].map((name) => field(name, 'x'));
    expect(keptFields(fields)).toEqual(fields);
  });
});

describe('a request target', () => {
  it.each([
    ['/v1.41/build?buildargs=%7B%22TOKEN%22%3A%22hunter2%22%7D&t=a%3Ab', `/v1.41/build?buildargs=${REDACTED}&t=a%3Ab`],
    ['/build?remote=https%3A%2F%2Fuser%3Ahunter2%40host%2Frepo.git', `/build?remote=${REDACTED}`],
    ['/build?labels={"a":"hunter2"}', `/build?labels=${REDACTED}`],
    ['/images/create?fromSrc=http://u:hunter2@h/&repo=r', `/images/create?fromSrc=${REDACTED}&repo=r`],
    ['/events?filters=hunter2&since=1', `/events?filters=${REDACTED}&since=1`],
    ['/x?hunter2', `/x?${REDACTED}`],
    ['/x?a=1?hunter2', `/x?a=${REDACTED}`],
    ['http://user:hunter2@host/version', `http://${REDACTED}@host/version`],
    ['/containers/abc/attach?stream=1&stdin=1', '/containers/abc/attach?stream=1&stdin=1'],
    ['/_ping', '/_ping'],
  ])('%s is kept as %s', (target, kept) => {
    expect(keptTarget(target)).toBe(kept);
  });

  it('has its path without version and query', () => {
    expect(['/v1.41/info?a=b', '/info', '/v1/info', '*'].map(enginePath)).toEqual(['/info', '/info', '/info', '*']);
  });
});

describe('an answer', () => {
  const ok = { status: 200, fields: [] };
  const get = (target: string) => ({ method: 'GET', target, fields: [] });

  it('keeps its content only to a GET of _ping, version or info that went well', () => {
    expect(['/_ping', '/v1.41/version', '/v1.41/info', '/info?a'].map((target) => keepsAnswer(get(target), ok))).toEqual([true, true, true, true]);
    expect(['/v1.41/images/json', '/auth', '/v1.41/containers/x/json', '/info/x', '/x/info'].some((target) => keepsAnswer(get(target), ok))).toBe(false);
    expect(keepsAnswer(get('/info'), { ...ok, status: 500 })).toBe(false);
    expect(keepsAnswer(get('/info'), { ...ok, fields: [field('content-encoding', 'gzip')] })).toBe(false);
    expect(keepsAnswer({ ...get('/info'), method: 'POST' }, ok)).toBe(false);
  });

  it.each([
    ['{"HttpProxy":"http://u:hunter2@p"}', '{"HttpProxy":"xxxxxxxxxxxxxxxxxx"}'],
    ['{"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],"Mirrors":["https://h/hunter2"],"IndexConfigs":{"d":{"Name":"d","Mirrors":["hunter2"]}}}}', '{"RegistryConfig":{"InsecureRegistryCIDRs":["127.0.0.0/8"],"Mirrors":["xxxxxxxxxxxxxxxxx"],"IndexConfigs":{"d":{"Name":"d","Mirrors":["xxxxxxx"]}}}}'],
    ['{"Labels":["a=hunter2"],"Name":"n"}', '{"Labels":["xxxxxxxxx"],"Name":"n"}'],
    ['{"Swarm":{"JoinTokens":{"Worker":"hunter2"},"NodeID":"n"}}', '{"Swarm":{"JoinTokens":{"Worker":"xxxxxxx"},"NodeID":"n"}}'],
    ['{"Auth":[{"a":["hunter2",{"b":"hunter2"}]}],"c":"d"}', '{"Auth":[{"a":["xxxxxxx",{"b":"xxxxxxx"}]}],"c":"d"}'],
    ['{"A":"see https://u:hunter2@h for it"}', '{"A":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}'],
    ['{"p\\u0061ssword":"hunt\\"er2"}', '{"p\\u0061ssword":"xxxxxxxxx"}'],
    ['{"A":"https:\\/\\/u:hunter2@h"}', '{"A":"xxxxxxxxxxxxxxxxxxxxx"}'],
    ['{ "Secret" : "hunter2" , "B" : [ 1 , true , null , "b" ] }', '{ "Secret" : "xxxxxxx" , "B" : [ 1 , true , null , "b" ] }'],
    ['OK', 'OK'],
  ])('%s is kept as %s', (content, kept) => {
    expect(masked(content)).toBe(kept);
  });

  test.each(['not JSON', '', `${'['.repeat(40)}${']'.repeat(40)}`, '{"a":"hunter2"', 'OKAY'])('%s is left out', (content) => {
    expect(keptAnswer(Buffer.from(content))).toBeUndefined();
  });

  property.prop([fc.json(), fc.constantFrom('password', 'Mirrors', 'Labels', 'httpProxy')])('of any JSON is still JSON of the same length, without a text of what is masked', (inner, name) => {
    const content = `{"${name}":${inner},"Kept":"kept"}`;
    const kept = masked(content);
    expect(Buffer.byteLength(kept)).toBe(Buffer.byteLength(content));
    const texts: string[] = [];
    JSON.parse(kept, (key, value: unknown) => {
      if (typeof value === 'string' && key !== 'Kept') texts.push(value);
      return value;
    });
    expect(texts.join('')).toMatch(/^x*$/);
    expect((JSON.parse(kept) as { Kept: string }).Kept).toBe('kept');
  });
});
