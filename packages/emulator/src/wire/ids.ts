import { sha256 } from '../base/digest.js';
import type { DialectName } from './dialect.js';
import { withIssuerMark } from './issuer.js';

/** The length of the part after the prefix, as in ids of the API. */
const lengths = {
  resp: 50,
  conv: 50,
  comp: 50,
  steer: 50,
  call: 24,
  req: 32,
  cntr: 32,
  ts: 32,
  // Ids of items.
  item: 50,
  msg: 50,
  rs: 50,
  fc: 50,
  ctc: 50,
  ws: 50,
  fs: 50,
  ci: 50,
  ig: 50,
  mcpl: 50,
  mcp: 50,
  mcpr: 50,
  sh: 50,
  sho: 50,
  apc: 50,
  cu: 50,
  tsc: 50,
  tso: 50,
  cmp: 50,
} as const;

export type IdPrefix = keyof typeof lengths;

/**
 * Ids that look like those of the API and are the same in every run: the n-th id of a kind depends on the seed and n alone. Emulators
 * with different seeds never make the same id. The ids of reasoning items carry an issuer mark, which only an emulator recognises.
 */
export class Ids {
  readonly #seed: string;
  readonly #issued = new Map<IdPrefix, number>();

  readonly issuer: DialectName;

  constructor(seed: string | number, issuer: DialectName) {
    this.#seed = String(seed);
    this.issuer = issuer;
  }

  next(prefix: IdPrefix): string {
    const n = (this.#issued.get(prefix) ?? 0) + 1;
    this.#issued.set(prefix, n);
    const id = `${prefix}_${sha256(`${this.#seed}\n${prefix}\n${n}`).slice(0, lengths[prefix])}`;
    return prefix === 'rs' ? withIssuerMark(id, this.issuer) : id;
  }
}
