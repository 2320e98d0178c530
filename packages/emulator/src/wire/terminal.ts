const terminalType = /^response\.(completed|failed|incomplete|done|cancelled)$/;

/** Whether a response ends with an event of this type. */
export function endsResponse(type: unknown): boolean {
  return typeof type === 'string' && terminalType.test(type);
}

/** Whether a turn ends with this event: the end of its response, or an error, which may come without a type (P61). */
export function endsTurn({ type, error }: { readonly type?: unknown; readonly error?: unknown }): boolean {
  return typeof type === 'string' ? type === 'error' || endsResponse(type) : error !== undefined;
}
