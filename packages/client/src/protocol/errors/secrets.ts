import { maxSecrets } from '../../base/bounds.js';

/** A shorter one is no secret (`any`, for a local server), and a part of ordinary words. */
const minSecretLength = 8;

/**
 * The credentials that went into handshakes. Some servers quote the key that they refuse: it is cut out of what they say before an error is made
 * of it (N1). What reaches the consumer as an event stays as it came.
 */
export class Secrets {
  readonly #values = new Set<string>();

  /** Of the headers of a handshake, those that are credentials. */
  add(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) {
      if (!/authorization|cookie|key|secret|token/.test(name)) continue;
      const secret = value.replace(/^(Basic|Bearer) /i, '');
      if (secret.length < minSecretLength) continue;
      this.#values.delete(secret);
      this.#values.add(secret);
      const [oldest] = this.#values;
      if (this.#values.size > maxSecrets && oldest !== undefined) this.#values.delete(oldest);
    }
  }

  /** The text without them. */
  redact(text: string): string {
    let hidden = text;
    for (const value of this.#values) hidden = hidden.replaceAll(value, '[secret]');
    return hidden;
  }

  /** The same of all texts in a value of JSON. Of one that is nested too deep to be looked through (N19), nothing is left. */
  redactJson<Value extends object | undefined>(json: Value): Value {
    if (json === undefined || this.#values.size === 0) return json;
    try {
      const hidden = JSON.stringify(json, (_name, value: unknown) =>
        typeof value === 'string' ? this.redact(value) : value,
      );
      return JSON.parse(hidden) as Value;
    } catch {
      return {} as Value;
    }
  }
}
