import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesMessageData, describeExec, failedProcess, parseExec, withProcessId, wrapBytesMessage } from '../../src/bridge/index.js';
import { encode, FRONTEND, id, type Fields } from './build.js';

const exec = (input: Fields, process = 'p1'): Uint8Array => encode(`${FRONTEND}.ExecMessage`, { ProcessID: process, ...input });

describe('an exec message in one line', () => {
  it.each<[string, 'client' | 'server', Fields]>([
    ['stdout 6 B "tick1\\n"', 'server', { File: { Fd: 1, Data: Buffer.from('tick1\n') } }],
    ['stderr 2 B "\\u001b\\u007f" EOF', 'server', { File: { Fd: 2, Data: Buffer.from('\x1b\x7f'), EOF: true } }],
    ['stdin EOF', 'client', { File: { Fd: 0, EOF: true } }],
    ['fd 3 2 B "hi"', 'client', { File: { Fd: 3, Data: Buffer.from('hi') } }],
    ['stdout 3 B "ÿþ\\u0000"', 'server', { File: { Fd: 1, Data: Buffer.from([0xff, 0xfe, 0]) } }],
    [
      'init sh -c "echo hi"  tty  fds 0 1 2',
      'client',
      { Init: { ContainerID: 'c', Meta: { args: ['sh', '-c', 'echo hi'] }, Fds: [0, 1, 2], Tty: true } },
    ],
    ['init /bin/true', 'client', { Init: { ContainerID: 'c', Meta: { args: ['/bin/true'] } } }],
    ['resize 80x24', 'client', { Resize: { Cols: 80, Rows: 24 } }],
    ['signal INT', 'client', { Signal: { Name: 'INT' } }],
    ['started', 'server', { Started: {} }],
    ['exit 0', 'server', { Exit: {} }],
    ['exit 3  UNKNOWN: exit code: 3', 'server', { Exit: { Code: 3, Error: { code: 2, message: 'exit code: 3' } } }],
    ['done', 'server', { Done: {} }],
    ['empty', 'client', {}],
  ])('%s', (text, side, input) => {
    expect(describeExec(exec(input), side)).toEqual({ process: 'p1', text });
  });

  it('names an input that is newer than proto/ by its number', () => {
    const later = Buffer.concat([exec({}), Buffer.from([0x4a, 0])]);
    expect(describeExec(later, 'client').text).toBe('field #9');
    expect(parseExec(later)).toEqual({ process: 'p1', input: { kind: 'unknown', field: 9 } });
  });

  it('cuts long chunks, not inside a character', () => {
    const { text } = describeExec(exec({ File: { Fd: 1, Data: Buffer.from('ä'.repeat(200)) } }), 'server');
    expect(text).toBe(`stdout 400 B "${'ä'.repeat(100)}"…`);
  });

  it('says when the bytes are no exec message', () => {
    expect(describeExec(Buffer.from([0xff]), 'server').text).toMatch(/^undecodable, 1 B/);
    expect(parseExec(Buffer.from([0xff]))).toBeUndefined();
  });
});

describe('a parsed init', () => {
  const init = (container: string, process: string, args: readonly string[]): Uint8Array =>
    exec({ Init: { ContainerID: container, Meta: { args, env: ['A=b'], cwd: '/w', user: 'u' }, Fds: [0], Tty: true } }, `${container}:${process}`);
  const parsed = (bytes: Uint8Array) => {
    const input = parseExec(bytes)?.input;
    if (input?.kind !== 'init') throw new Error('no init');
    return input;
  };

  it('holds what the process is', () => {
    expect(parsed(init(id('c'), id('p'), ['ls']))).toMatchObject({
      containerId: id('c'),
      args: ['ls'],
      env: ['A=b'],
      cwd: '/w',
      user: 'u',
      tty: true,
      fds: [0],
    });
  });

  it('is equal in canonical form for another container and process, and not for another command', () => {
    const one = parsed(init(id('c'), id('p'), ['ls']));
    expect(parsed(init(id('d'), id('q'), ['ls'])).canonical).toBe(one.canonical);
    expect(parsed(init(id('c'), id('p'), ['ls', '-l'])).canonical).not.toBe(one.canonical);
  });
});

describe('a process id in its message', () => {
  const field = (name: string): Uint8Array => Buffer.concat([Buffer.from([0x0a, name.length]), Buffer.from(name)]);

  const anyName = fc.string({ minLength: 1, maxLength: 300 });

  it('is replaced and every other byte stays', () => {
    fc.assert(
      fc.property(anyName, anyName, fc.uint8Array(), (from, to, data) => {
        const input = { File: { Fd: 1, Data: data } };
        const later = Buffer.from([0x4a, 1, 7]);
        const renamed = withProcessId(Buffer.concat([exec(input, from), later]), to);
        expect(Buffer.from(renamed)).toEqual(Buffer.concat([exec(input, to), later]));
      }),
    );
  });

  it('is replaced wherever it stands, and put in where it is missing', () => {
    const rest = Buffer.from([0x3a, 0]);
    expect(Buffer.from(withProcessId(Buffer.concat([rest, field('aa')]), 'bbb'))).toEqual(Buffer.concat([rest, field('bbb')]));
    expect(Buffer.from(withProcessId(rest, 'bbb'))).toEqual(Buffer.concat([field('bbb'), rest]));
    expect(Buffer.from(withProcessId(Buffer.concat([field('a'), rest, field('b')]), 'c'))).toEqual(Buffer.concat([field('c'), rest]));
  });

  it('leaves bytes alone that are no message', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const renamed = withProcessId(bytes, 'id');
        if (renamed !== bytes) expect(parseExec(renamed)?.process ?? 'id').toBe('id');
      }),
    );
  });
});

describe('a process that is ended by an error', () => {
  it('has an Exit with code and status, and a Done, as BuildKit writes them', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat({ max: 2 ** 31 - 1 }), fc.integer({ min: 1, max: 16 }), fc.string(), (process, code, status, message) => {
        const [exit, done] = failedProcess(process, code, { code: status, message });
        expect(parseExec(exit ?? new Uint8Array())).toEqual({ process, input: { kind: 'exit', code, error: { code: status, message } } });
        expect(parseExec(done ?? new Uint8Array())).toEqual({ process, input: { kind: 'done' } });
      }),
    );
    const [exit] = failedProcess('p1', 255, { code: 9, message: 'no more' });
    expect(Buffer.from(exit ?? [])).toEqual(Buffer.from(exec({ Exit: { Code: 255, Error: { code: 9, message: 'no more' } } })));
  });
});

describe('a tunnelled byte message', () => {
  it('gives back what was wrapped', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        expect(Buffer.from(bytesMessageData(wrapBytesMessage(data)) ?? [])).toEqual(Buffer.from(data));
      }),
    );
    expect(Buffer.from(wrapBytesMessage(Buffer.from('abc')))).toEqual(Buffer.from(encode('moby.buildkit.v1.BytesMessage', { data: Buffer.from('abc') })));
    expect(bytesMessageData(Buffer.from([0xff]))).toBeUndefined();
  });
});
