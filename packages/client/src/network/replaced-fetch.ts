type Fetch = typeof globalThis.fetch | undefined;

const atStart: Fetch = globalThis.fetch;

/** Whether `globalThis.fetch` was replaced: by a mock, or an observer. `own` is a fetch of this library, which does not count. */
export function isFetchReplaced(own?: Fetch): boolean {
  const now: Fetch = globalThis.fetch;
  if (now === undefined || now === own) return false;
  // A fetch that was replaced before this module was loaded is told by its source: those of Node, Bun and Deno begin like this.
  return now !== atStart || !/^(?:async )?function fetch\(/.test(Function.prototype.toString.call(now));
}

/** @param remedy how turns are made to use the replaced fetch. */
export function replacedFetchWarning(remedy: string): string {
  return `turnwire: globalThis.fetch was replaced, as tests and tracers do, and turns go around it: where they should not, ${remedy} (docs/fetch.md)`;
}
