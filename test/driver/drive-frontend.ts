/** Drives the client of one frontend's cassette against a replay of another's: on a socket that stands for the stdio. */
import type { Cassette } from '../../src/cassette/index.js';
import { drive } from '../../src/driver/index.js';
import { replayToFrontend, type FrontendReplay } from '../../src/replayer/index.js';
import { formatAddress, listen, temporaryAddress } from '../../src/socket/index.js';

/** @returns the replay, which is over */
export async function driveFrontend(served: Cassette, client: Cassette): Promise<FrontendReplay> {
  const replaying = replayToFrontend(served);
  const { address, remove } = temporaryAddress();
  const listener = await listen(address, { allowHalfOpen: false, paused: false }, (stream) => replaying.serve(stream));
  try {
    await drive(client, { target: formatAddress(address).replace('unix://', 'unix:') });
    return replaying;
  } finally {
    await listener.close();
    await replaying.close();
    remove();
  }
}
