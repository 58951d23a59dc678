/**
 * The few file operations that the cassette needs, as interfaces, so that a test can hand in a disk that is
 * full, slow or broken. The real ones are thin over node:fs and hold no rules.
 */
import { closeSync, constants, fstatSync, openSync, promises, readSync } from 'node:fs';

/** Which file this is, whatever its name. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/** A file that is being written; positions are absolute. */
export interface DiskFile {
  /** Writes as much as it can and says how many bytes that was. */
  writev(parts: readonly Uint8Array[], position: number): Promise<number>;
  /** Reads up to target.length bytes; 0 at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  truncate(length: number): Promise<void>;
  sync(): Promise<void>;
  identity(): Promise<FileIdentity>;
  close(): Promise<void>;
}

export interface PathFacts extends FileIdentity {
  readonly kind: 'file' | 'folder' | 'symlink' | 'other';
}

export interface Disk {
  /** Creates a new file, mode 0600, for reading and writing; fails when the name is taken. */
  create(path: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** What stands at the path, not following a symlink; undefined when nothing does. */
  look(path: string): Promise<PathFacts | undefined>;
  /** The path with every symlink resolved. */
  resolve(path: string): Promise<string>;
  /** Opens a file to look into it. */
  source(path: string): Source;
}

export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const nodeDisk: Disk = {
  async create(path) {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const handle = await promises.open(path, flags, 0o600);
    return {
      writev: async (parts, position) => (await handle.writev(parts, position)).bytesWritten,
      read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
      truncate: (length) => handle.truncate(length),
      sync: () => handle.datasync(),
      async identity() {
        const { dev, ino } = await handle.stat();
        return { device: dev, inode: ino };
      },
      close: () => handle.close(),
    };
  },
  rename: (from, to) => promises.rename(from, to),
  unlink: (path) => promises.unlink(path),
  async look(path) {
    try {
      const facts = await promises.lstat(path);
      const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : facts.isSymbolicLink() ? 'symlink' : 'other';
      return { kind, device: facts.dev, inode: facts.ino };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  resolve: (path) => promises.realpath(path),
  source: openSource,
};

/** A file that is only read, synchronously. */
export interface Source {
  readonly size: number;
  readonly regular: boolean;
  /** Fills the target from the position on; says how many bytes there were. */
  read(target: Uint8Array, position: number): number;
  close(): void;
}

export function openSource(path: string): Source {
  // O_NONBLOCK: opening a FIFO that nobody writes to must not hang; it is refused afterwards.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const facts = fstatSync(fd);
  return {
    size: facts.size,
    regular: facts.isFile(),
    read(target, position) {
      let done = 0;
      while (done < target.length) {
        const got = readSync(fd, target, done, target.length - done, position + done);
        if (got === 0) break;
        done += got;
      }
      return done;
    },
    close: () => closeSync(fd),
  };
}

/** The same over bytes in memory. */
export function memorySource(bytes: Uint8Array): Source {
  return {
    size: bytes.length,
    regular: true,
    read(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    close: () => undefined,
  };
}

/** Writes all of it, however much the system takes at once. */
export async function writeAll(file: DiskFile, parts: readonly Uint8Array[], position: number): Promise<void> {
  let rest = parts;
  let at = position;
  while (rest.length > 0) {
    const written = await file.writev(rest, at);
    if (written <= 0) throw new Error('the disk took no bytes');
    at += written;
    rest = dropBytes(rest, written);
  }
}

function dropBytes(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part === undefined) break;
    if (left < part.length) return [part.subarray(left), ...parts.slice(i + 1)];
    left -= part.length;
  }
  return [];
}
