// The least that a proxy in Node can do: bytes from one socket to the other, nothing read, nothing kept.
// Not in the table by default; `--middles splice` shows how much of a figure is Node's sockets and how much is ours.
import { connect, createServer } from 'node:net';

const [listen = '', to = ''] = process.argv.slice(2);

/** @param {import('node:net').Socket} from @param {import('node:net').Socket} into */
function forward(from, into) {
  from.on('data', (chunk) => {
    if (!into.write(chunk)) from.pause();
  });
  into.on('drain', () => from.resume());
  from.on('end', () => into.end());
  from.on('error', () => into.destroy());
}

createServer({ allowHalfOpen: true }, (client) => {
  const server = connect({ path: to, allowHalfOpen: true });
  forward(client, server);
  forward(server, client);
}).listen(listen, () => console.error(`listening on ${listen}`));

process.on('SIGTERM', () => process.exit(0));
