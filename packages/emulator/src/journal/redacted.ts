/** The names of headers and query parameters that hold a credential. */
const credentialName =
  /auth(orization|entication)?$|api[-_]?key|subscription-key|(^|[-_])key$|token|secret|cookie|password|credential|signature/i;

/** Headers that look like a credential by their name and hold none. */
const harmlessNames = new Set(['idempotency-key', 'sec-websocket-key']);

const redactedText = '[redacted]';

/** The value of a header or of a query parameter; `[redacted]` if it is a credential. */
export function withoutCredential(name: string, value: string): string {
  // A browser can set no header of an upgrade, so it sends a key as a subprotocol: `openai-insecure-api-key.KEY`.
  if (name === 'sec-websocket-protocol')
    return value.replace(/((?:key|token|auth)[^.,\s]*\.)[^,\s]+/gi, `$1${redactedText}`);
  return credentialName.test(name) && !harmlessNames.has(name) ? redactedText : value;
}

/** A path without the credentials in its query. */
export function redactedPath(path: string): string {
  return path.replace(/([?&])([^=&#]*)=([^&#]*)/g, (_, before: string, name: string, value: string) => {
    return `${before}${name}=${withoutCredential(name, value)}`;
  });
}
