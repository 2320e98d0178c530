import type { Frame } from '../../protocol/frame.js';

/**
 * Headers that a server says in an event, because a WebSocket has no other place for them (P60): `{"headers": {"x-request-id": "…"}}`, each value a
 * text, a number, or a list of them.
 */
export function headersIn(frame: Frame): Record<string, string> {
  if (frame.traits.headers !== true) return {};
  const { headers } = frame.event as { headers?: unknown };
  if (typeof headers !== 'object' || headers === null) return {};
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const text = [value]
      .flat(2)
      .filter((one) => typeof one === 'string' || typeof one === 'number')
      .join(', ');
    if (text !== '') found[name.toLowerCase()] = text;
  }
  return found;
}
