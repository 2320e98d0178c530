/** Those of the last handshakes: a key may have been changed while a connection that had the old one lives. */
const mostValues = 32;

/** A shorter one is no secret (`any`, for a local server), and a part of ordinary words. */
const shortest = 8;

/**
 * The credentials that went into handshakes. Some servers quote the key that they refuse: it is cut out of what they say before an error is made
 * of it (N1). What reaches the consumer as an event stays as it came.
 */
export class Secrets {
  readonly #values = new Set<string>();

  /** Of the headers of a handshake, those that are credentials. */
  note(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) {
      if (!/authorization|cookie|key|secret|token/.test(name)) continue;
      const secret = value.replace(/^(Basic|Bearer) /i, '');
      if (secret.length < shortest) continue;
      this.#values.delete(secret);
      this.#values.add(secret);
      const [oldest] = this.#values;
      if (this.#values.size > mostValues && oldest !== undefined) this.#values.delete(oldest);
    }
  }

  /** The text without them. */
  hide(text: string): string {
    let hidden = text;
    for (const value of this.#values) hidden = hidden.replaceAll(value, '[secret]');
    return hidden;
  }

  /** The same of a value of JSON; itself where it holds none. */
  hideIn<Value>(json: Value): Value {
    const text = JSON.stringify(json) ?? '';
    // Within JSON, a quote or a backslash of theirs is written as two characters.
    let hidden = this.hide(text);
    for (const value of this.#values) hidden = hidden.replaceAll(JSON.stringify(value).slice(1, -1), '[secret]');
    return hidden === text ? json : (JSON.parse(hidden) as Value);
  }
}
