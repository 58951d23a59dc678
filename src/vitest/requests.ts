/** What the clients of a test asked for, for assertions. */
import { decodeMessage, knownMethods, knownServices, shortMethod, type Decoded } from '../bridge/index.js';

/** A message that a client sent. */
export interface SeenRequest {
  /** `/package.Service/Method` */
  readonly path: string;
  /** As `decodeMessage` shows it; undefined when it was recorded without its body. */
  readonly request: Decoded | undefined;
}

/** So many are kept: a test that polls for hours is not to fill the memory. */
const MAX_KEPT = 10_000;
const MAX_KEPT_BYTES = 256 * 1024 * 1024;

export class Requests {
  private readonly kept: { readonly path: string; readonly message: Uint8Array | undefined }[] = [];
  private bytes = 0;

  /** HOT PATH: nothing is decoded before somebody asks. */
  readonly add = (path: string, message: Uint8Array | undefined): void => {
    this.bytes += message?.length ?? 0;
    if (this.kept.length < MAX_KEPT && this.bytes <= MAX_KEPT_BYTES) this.kept.push({ path, message: message && Uint8Array.from(message) });
  };

  /** Those of a method, by `Solve`, `LLBBridge/Solve` or its whole path. */
  of(method: string): readonly SeenRequest[] {
    return this.kept.filter(({ path }) => isCalled(path, method)).map(({ path, message }) => ({ path, request: message && decodeMessage(path, 'client', message) }));
  }

  /** Methods that were called, in short, in the order of their first calls. */
  get methods(): readonly string[] {
    return [...new Set(this.kept.map(({ path }) => shortMethod(path)))];
  }

  /** Whether there is such a method, called or not. */
  knows(method: string): boolean {
    const known = knownServices().flatMap((service) => knownMethods(service).map(({ path }) => path));
    return [...known, ...this.kept.map(({ path }) => path)].some((path) => isCalled(path, method));
  }
}

function isCalled(path: string, method: string): boolean {
  return path === method || shortMethod(path) === method || path.slice(path.lastIndexOf('/') + 1) === method;
}
