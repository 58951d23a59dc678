/** A disk in memory that can be full, broken, slow or watched. */
import { EventEmitter, once } from 'node:events';
import { type Disk, type DiskFile, memorySource, type PathFacts, type Source } from '../../src/cassette/disk.js';

class Content {
  static #next = 1;
  readonly inode = Content.#next++;
  #bytes = Buffer.alloc(1024);
  length = 0;

  get bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.length));
  }

  write(part: Uint8Array, position: number): void {
    const end = position + part.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    this.#bytes.set(part, position);
    this.length = Math.max(this.length, end);
  }
}

export class DiskError extends Error {
  constructor(readonly code: string) {
    super(`${code}: the disk of this test says so`);
  }
}

export class MemoryDisk implements Disk {
  readonly files = new Map<string, Content>();
  readonly #events = new EventEmitter();
  /** Bytes that all files together may take. */
  capacity = Infinity;
  /** When set, every write fails with it. */
  broken: DiskError | undefined;
  /** When set, writes wait for it. */
  gate: Promise<void> | undefined;
  /** Writes take at most so many bytes at once. */
  mostPerWrite = Infinity;
  writes = 0;
  read = 0;

  get used(): number {
    return [...this.files.values()].reduce((sum, file) => sum + file.length, 0);
  }

  bytes(path: string): Uint8Array {
    return this.#at(path).bytes;
  }

  /** Resolves at the end of the next write. */
  async written(): Promise<void> {
    await once(this.#events, 'written');
  }

  create(path: string): Promise<DiskFile> {
    if (this.files.has(path)) return Promise.reject(new DiskError('EEXIST'));
    const content = new Content();
    this.files.set(path, content);
    return Promise.resolve({
      writev: async (parts, position) => {
        await this.gate;
        return this.#write(content, Buffer.concat(parts), position);
      },
      read: (target, position) => {
        const part = content.bytes.subarray(position, position + target.length);
        target.set(part);
        this.read += part.length;
        return Promise.resolve(part.length);
      },
      truncate: (length) => {
        content.length = Math.min(content.length, length);
        return Promise.resolve();
      },
      sync: () => Promise.resolve(),
      identity: () => Promise.resolve({ device: 1, inode: content.inode }),
      close: () => Promise.resolve(),
    });
  }

  #write(content: Content, bytes: Buffer, position: number): number {
    this.writes++;
    if (this.broken !== undefined) throw this.broken;
    const growth = Math.max(0, position + bytes.length - content.length);
    const room = this.capacity - this.used;
    const fits = growth <= room ? bytes.length : bytes.length - (growth - room);
    const taken = Math.min(fits, this.mostPerWrite);
    if (taken <= 0) throw new DiskError('ENOSPC');
    content.write(bytes.subarray(0, taken), position);
    this.#events.emit('written');
    return taken;
  }

  rename(from: string, to: string): Promise<void> {
    this.files.set(to, this.#at(from));
    this.files.delete(from);
    return Promise.resolve();
  }

  unlink(path: string): Promise<void> {
    return this.files.delete(path) ? Promise.resolve() : Promise.reject(new DiskError('ENOENT'));
  }

  look(path: string): Promise<PathFacts | undefined> {
    const content = this.files.get(path);
    return Promise.resolve(content === undefined ? undefined : { kind: 'file', device: 1, inode: content.inode });
  }

  resolve(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  source(path: string): Source {
    return memorySource(this.bytes(path));
  }

  #at(path: string): Content {
    const content = this.files.get(path);
    if (content === undefined) throw new DiskError('ENOENT');
    return content;
  }
}
