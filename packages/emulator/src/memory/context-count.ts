/** The count of a context under certain settings: the digest of the settings and all items, and their bytes. */
export interface ContextCount {
  readonly settings: string;
  readonly digest: string;
  readonly bytes: number;
}
