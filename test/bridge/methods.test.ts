import { describe, expect, it } from 'vitest';
import * as methods from '../../src/bridge/methods.js';
import { headerText, knownMethods, methodOf, serviceOf, shortMethod } from '../../src/bridge/index.js';
import { messageType, type Field } from '../../src/bridge/schema.js';
import { DEFINING_FIELDS, VOLATILE_RULES } from '../../src/bridge/volatile.js';
import { header } from './build.js';

describe("a method's short name", () => {
  it.each([
    ['/moby.buildkit.v1.frontend.LLBBridge/Solve', 'LLBBridge/Solve'],
    ['/containerd.services.content.v1.Content/*', 'Content/*'],
    ['/Plain/Method', 'Plain/Method'],
    ['*', '*'],
    ['nonsense', 'nonsense'],
    ['', ''],
  ])('of %s is %s', (path, short) => {
    expect(shortMethod(path)).toBe(short);
  });
});

describe('the service of a method', () => {
  it.each([
    ['/moby.buildkit.v1.frontend.LLBBridge/Solve', 'moby.buildkit.v1.frontend.LLBBridge'],
    ['/Plain/Method', 'Plain'],
    ['/nonsense', ''],
    ['', ''],
  ])('of %s is %s', (path, service) => {
    expect(serviceOf(path)).toBe(service);
  });
});

describe('every method that is named', () => {
  const paths = Object.entries(methods).flatMap(([name, path]) => (typeof path === 'string' && name !== 'BRIDGE' && name !== 'CONTROL' ? [[name, path] as const] : []));

  it.each(paths)('is in proto/: %s', (name, path) => {
    // Control has a Solve as well.
    expect(methodOf(path)?.name.toUpperCase()).toBe(name.replace(/^BRIDGE_/, '').replaceAll('_', ''));
  });

  const bridgeMethods = knownMethods('moby.buildkit.v1.frontend.LLBBridge');

  it('is written in one way only where no map and nothing volatile stands in its request', () => {
    const written = bridgeMethods.filter(({ path }) => methods.isWrittenOneWay(path));
    expect(written.length).toBe(8);
    for (const { requestType } of written) for (const { type, field } of fieldsBelow(requestType)) {
      const rules = VOLATILE_RULES.filter((rule) => rule.message === type && rule.field === field.name);
      expect([type, field.name, field.label, rules]).toEqual([type, field.name, expect.not.stringMatching('map'), []]);
    }
  });

  it('that introduces an id has one in its request', () => {
    const defining = new Set(DEFINING_FIELDS.map(({ message }) => message));
    // ExecMessages are no requests that are matched one by one.
    expect(bridgeMethods.filter(({ path }) => methods.introducesId(path)).map(({ name }) => name)).toEqual(bridgeMethods.filter(({ name, requestType }) => defining.has(requestType) && name !== 'ExecProcess').map(({ name }) => name));
  });
});

function fieldsBelow(type: string, seen = new Set<string>()): readonly { readonly type: string; readonly field: Field }[] {
  if (seen.has(type)) return [];
  seen.add(type);
  return [...(messageType(type)?.fields.values() ?? [])].flatMap((field) => [{ type, field }, ...(field.type.kind === 'message' ? fieldsBelow(field.type.name, seen) : [])]);
}

describe('a header field', () => {
  it('is found by its name, the first of several', () => {
    const headers = [header('a', 'one'), header('b', 'two'), header('a', 'three'), header('c', Uint8Array.of(0xff))];
    expect(['a', 'b', 'c', 'd'].map((name) => headerText(headers, name))).toEqual(['one', 'two', '\u00ff', undefined]);
  });
});
