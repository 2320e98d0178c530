/** A path with its query in one spelling, whichever characters a client escapes, so that recorded and new paths can be compared. */
export function normalizePath(
  path: string,
  query: URLSearchParams,
  show = (_: string, value: string) => encodeURIComponent(value),
): string {
  const parameters = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${show(name, value)}`);
  return parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
}
