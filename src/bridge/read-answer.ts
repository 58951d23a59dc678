/** An answer that is decoded once for all that is asked of it. */
import { canonicalDecoded, type CanonicalOptions, type IdMap } from './canonical.js';
import type { Canonical } from './canonical-form.js';
import { introducedIn, type IntroducedId } from './introduced-ids.js';
import { decodeIfKnown, type Message } from './message.js';
import type { Rules } from './rules.js';
import type { WireFormatError } from './wire-format.js';

export class ReadAnswer {
  private readonly message: Message | WireFormatError | undefined;

  /** @param typeName full name of its type; undefined when it isn't known */
  constructor(
    typeName: string | undefined,
    private readonly payload: Uint8Array,
  ) {
    this.message = decodeIfKnown(typeName, payload);
  }

  /** The ids that it gives out. */
  get introduced(): readonly IntroducedId[] {
    return this.message === undefined ? [] : introducedIn(this.message);
  }

  canonical(ids: IdMap, rules: Rules, options: CanonicalOptions): Canonical {
    return canonicalDecoded(this.message, this.payload, ids, rules, options);
  }
}
