import { describe, expect, test } from 'vitest';
import { data, message, requestHeader, responseHeader, trailer } from './bytes.js';
import { LINE, Tap } from './tap.js';

describe('an ordinary call', () => {
  test('is told in the order in which it crossed', () => {
    const tap = Tap.opened()
      .client(requestHeader(1), data(1, message('ask'), { end: true }))
      .server(responseHeader(1), data(1, message('answer')), trailer(1))
      .end('client', 'server');
    expect(tap.lines).toEqual([
      LINE.request(1),
      '1 client-message "ask"',
      '1 client-half-close',
      LINE.response(1),
      '1 server-message "answer"',
      LINE.trailer(1),
      'end of client',
      'end of server',
    ]);
  });
});
