/** A context as it was counted with some settings: the digest of all of it, and its bytes. */
export interface ContextCount {
  readonly settings: string;
  readonly digest: string;
  readonly bytes: number;
}
