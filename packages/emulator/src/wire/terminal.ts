const terminalType = /^response\.(completed|failed|incomplete|done|cancelled)$/;

/** True for the type of an event that ends a response. */
export function endsResponse(type: unknown): boolean {
  return typeof type === 'string' && terminalType.test(type);
}

/** True for an event that ends a turn: the end of its response, or an error. An error may have no type (P61). */
export function endsTurn({ type, error }: { readonly type?: unknown; readonly error?: unknown }): boolean {
  return typeof type === 'string' ? type === 'error' || endsResponse(type) : error !== undefined;
}
