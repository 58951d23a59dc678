// A frontend for tests, as a process of its own: makes the calls that its argument lists over stdin and stdout, one after
// the other, says on stderr what it saw as one line of JSON, and ends as it is told to.
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers';

const { calls, status = 0, signal, seesFile, waits = false } = JSON.parse(process.argv[2]);
const stdio = new Duplex({
  read: () => undefined,
  write: (chunk, _encoding, done) => process.stdout.write(chunk, done),
});
// Node's HTTP/2 ends the process when it is given bytes while it writes.
process.stdin.on('data', (chunk) => setImmediate(() => stdio.push(chunk)));
const session = connect('http://localhost', { createConnection: () => stdio });

function call([path, base64]) {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  const chunks = [];
  return new Promise((resolve, reject) => {
    let seen = {};
    stream.on('response', (headers) => (seen = { ...seen, ...headers }));
    stream.on('trailers', (trailers) => (seen = { ...seen, ...trailers }));
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve({ answer: Buffer.concat(chunks).subarray(5).toString('base64'), code: Number(seen['grpc-status']), message: decodeURIComponent(seen['grpc-message'] ?? '') }));
    const request = Buffer.from(base64, 'base64');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(request.length, 1);
    stream.end(Buffer.concat([head, request]));
  });
}

const answers = [];
for (const each of calls) answers.push(await call(each));
const file = seesFile !== undefined && existsSync(seesFile) ? readFileSync(seesFile, 'utf8') : undefined;
process.stderr.write(`${JSON.stringify({ answers, env: process.env, cwd: process.cwd(), file })}\n`);
if (!waits) {
  if (signal === undefined) process.exit(status);
  process.kill(process.pid, signal);
}
