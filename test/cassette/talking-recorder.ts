/** A process that records without end, and says which of its events is 100 ms old. Killed by a test. */
import { stat } from 'node:fs/promises';
import { CassetteWriter, whole } from '../../src/cassette/index.js';

const path = process.argv[2] ?? '';
const writer = await CassetteWriter.create(path, { tool: 'bridgetape test', startedAt: new Date(), listen: [], upstream: '', bodiesLeftOut: [] });
let seq = 0;

function talk(): void {
  for (let i = 0; i < 20; i++) {
    const data = Buffer.from(`tick ${seq}`);
    writer.append({ kind: 'server-message', time: process.hrtime.bigint(), connection: 1, call: 1, compressed: false, size: data.length, data: [whole(data)] });
    seq++;
  }
  const last = seq - 1;
  setTimeout(() => {
    void stat(path).then(() => process.send?.(last));
  }, 100);
}

writer.append({ kind: 'client-header', time: process.hrtime.bigint(), connection: 1, call: 1, headers: [] });
seq++;
setInterval(talk, 1);
