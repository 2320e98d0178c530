import { maxSecrets } from '../../base/bounds.js';

/** A shorter credential is no secret (`any`, for a local server), and may be a part of ordinary words. */
const minSecretLength = 8;

/**
 * The credentials that went into handshakes. Some servers quote the key that they refuse: it is cut out of what they say before an error is made
 * of it (N1). What reaches the consumer as an event stays as it came.
 */
export class Secrets {
  readonly #values = new Set<string>();

  /** Adds the credentials among the headers of a handshake. */
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

  /** The text, with all known credentials cut out. */
  redact(text: string): string {
    let hidden = text;
    for (const value of this.#values) hidden = hidden.replaceAll(value, '[secret]');
    return hidden;
  }

  /** The JSON, with all known credentials cut out of its texts; `{}` for a value that is nested too deep to be searched (N19). */
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
