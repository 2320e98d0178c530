/** The names that an expression in `${…}` may use. */
export interface Scope {
  /** The variables under `env`. A missing one is undefined. */
  env: ReadonlyMap<string, string | undefined>;
  /** The words behind the name of a command. @default no `args` */
  args?: readonly string[];
  /** Calls a tool; undefined where there is no such tool. @default there are no tools */
  call?: (name: string, args: Readonly<Record<string, unknown>>) => string | undefined;
}

/** An expression found in a text. */
export interface Found {
  /** The text of the expression, with `${` and `}`. */
  whole: string;
  source: string;
}

/** The types of values: the part of JavaScript that deals with strings and lists of them. */
type Value = string | number | boolean | undefined | readonly string[];

/** Thrown for an expression that cannot be evaluated. The message is a sentence. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** The `${…}` of a text, in their order. Braces and quotes inside are counted; an expression without an end is left out. */
export function expressionsIn(text: string): Found[] {
  const found: Found[] = [];
  for (let start = text.indexOf('${'); start !== -1; start = text.indexOf('${', start + 2)) {
    const end = endOfExpression(text, start + 2);
    if (end === undefined) continue;
    found.push({ whole: text.slice(start, end + 1), source: text.slice(start + 2, end).trim() });
    start = end - 1;
  }
  return found;
}

/** The longest expression, in code units. The bound keeps an expression without an end from being searched to the end of the text. */
const longest = 4000;

/** The index of the brace that ends an expression. Only the part within inner braces may have several lines. */
export function endOfExpression(text: string, from: number): number | undefined {
  return closingIndex(text, from, { open: '{', close: '}', severalLines: false });
}

/** The index of the bracket that closes one opened before `from`. Inner brackets and quotes are counted. */
export function closingIndex(
  text: string,
  from: number,
  { open, close, severalLines }: { open: string; close: string; severalLines: boolean },
): number | undefined {
  let depth = 0;
  const last = Math.min(text.length, from + longest);
  for (let at = from; at < last; at += 1) {
    const character = text[at];
    if (character === '\n' && depth === 0 && !severalLines) return undefined;
    if (character === '"' || character === "'") {
      const end = text.indexOf(character, at + 1);
      if (end === -1 || end >= last) return undefined;
      at = end;
    } else if (character === open) depth += 1;
    else if (character === close && depth === 0) return at;
    else if (character === close) depth -= 1;
  }
  return undefined;
}

/** The variables that an expression names. */
export function variablesIn(source: string): string[] {
  return [...source.matchAll(/\benv\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(["'])([A-Za-z_]\w*)\2\s*\])/g)].map(
    ([, name, , quoted]) => name ?? quoted ?? '',
  );
}

/**
 * The value of an expression as a text; undefined for a variable without a value and without a default.
 *
 * @throws ExpressionError for an unknown kind of expression
 */
export function evaluate(source: string, scope: Scope): string | undefined {
  const value = new Reader(source, scope).read();
  return value === undefined ? undefined : textOf(value);
}

function textOf(value: Value): string {
  if (Array.isArray(value)) return value.join(' ');
  return value === undefined || value === false ? '' : String(value);
}

const token = /\s*(?:(["'])(.*?)\1|(\d+)|([A-Za-z_$][\w$]*)|(\|\||&&|\?\?|===|!==|==|!=|[!?:()[\]{}.,+-]))/y;

/** Parses and evaluates in one pass. Both sides of a choice are parsed; tools are called on the chosen side alone. */
class Reader {
  readonly #source: string;
  readonly #scope: Scope;
  #at = 0;
  /** The number of surrounding choices that were decided against the part being read. */
  #passedOver = 0;

  constructor(source: string, scope: Scope) {
    this.#source = source;
    this.#scope = scope;
  }

  read(): Value {
    const value = this.#choice();
    if (this.#source.slice(this.#at).trim() !== '') throw this.#wrong();
    return value;
  }

  #choice(): Value {
    const condition = this.#either();
    if (!this.#take('?')) return condition;
    const chosen = isTrue(condition);
    const yes = this.#only(chosen, () => this.#choice());
    this.#expect(':');
    const no = this.#only(!chosen, () => this.#choice());
    return chosen ? yes : no;
  }

  #either(): Value {
    let value = this.#both();
    for (;;) {
      if (this.#take('||')) {
        const other = this.#only(!isTrue(value), () => this.#both());
        value = isTrue(value) ? value : other;
      } else if (this.#take('??')) {
        const other = this.#only(value === undefined, () => this.#both());
        value ??= other;
      } else {
        return value;
      }
    }
  }

  #both(): Value {
    let value = this.#equal();
    while (this.#take('&&')) {
      const other = this.#only(isTrue(value), () => this.#equal());
      value = isTrue(value) ? other : value;
    }
    return value;
  }

  #equal(): Value {
    const value = this.#sum();
    for (const sign of ['===', '!==', '==', '!='])
      if (this.#take(sign)) return (value === this.#sum()) === sign.startsWith('=');
    return value;
  }

  #sum(): Value {
    let value = this.#not();
    while (this.#take('+')) {
      const other = this.#not();
      value = typeof value === 'number' && typeof other === 'number' ? value + other : textOf(value) + textOf(other);
    }
    return value;
  }

  #not(): Value {
    return this.#take('!') ? !isTrue(this.#not()) : this.#member();
  }

  #member(): Value {
    let value = this.#plain();
    for (;;) {
      if (this.#take('.')) {
        value = this.#property(value, this.#name());
      } else if (this.#take('[')) {
        const index = this.#choice();
        this.#expect(']');
        value = isList(value) && typeof index === 'number' ? value[index] : undefined;
      } else {
        return value;
      }
    }
  }

  #property(value: Value, name: string): Value {
    if (name === 'length' && (isList(value) || typeof value === 'string')) return value.length;
    this.#expect('(');
    const given: Value[] = [];
    while (!this.#take(')')) {
      if (given.length > 0) this.#expect(',');
      given.push(this.#choice());
    }
    const [first, second] = given;
    const number = (one: Value): number | undefined => (typeof one === 'number' ? one : undefined);
    if (isList(value) && name === 'join') return value.join(first === undefined ? ',' : textOf(first));
    if (isList(value) && name === 'slice') return value.slice(number(first), number(second));
    if (typeof value === 'string' && name === 'trim') return value.trim();
    if (typeof value === 'string' && name === 'toUpperCase') return value.toUpperCase();
    if (typeof value === 'string' && name === 'toLowerCase') return value.toLowerCase();
    // A method of an undefined value gives undefined.
    if (value === undefined) return undefined;
    throw new ExpressionError(`there is no ${name}() here`);
  }

  #plain(): Value {
    if (this.#take('(')) {
      const value = this.#choice();
      this.#expect(')');
      return value;
    }
    const negative = this.#take('-');
    const [, quote, quoted, digits, name] = this.#next() ?? [];
    if (quote !== undefined && !negative) return quoted ?? '';
    if (digits !== undefined) return Number(digits) * (negative ? -1 : 1);
    if (name === 'true' || name === 'false') return name === 'true';
    if (name === 'undefined' || name === 'null') return undefined;
    if (name === 'env') return this.#scope.env.get(this.#variable());
    if (name === 'args' && this.#scope.args !== undefined) return this.#scope.args;
    if (name !== undefined && this.#scope.call !== undefined && this.#take('(')) return this.#call(name);
    throw this.#wrong();
  }

  /** Reads a part whose value counts only if `counts` is true. */
  #only(counts: boolean, read: () => Value): Value {
    if (counts) return read();
    this.#passedOver += 1;
    const value = read();
    this.#passedOver -= 1;
    return value;
  }

  /** Reads the call of a tool, behind its opening parenthesis. */
  #call(name: string): Value {
    const args = this.#take('{') ? this.#object() : {};
    this.#expect(')');
    if (this.#passedOver > 0) return undefined;
    const result = this.#scope.call?.(name, args);
    if (result === undefined) throw new ExpressionError(`there is no tool ${name} here`);
    return result;
  }

  /** Reads the entries of an object, behind its opening brace. */
  #object(): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    while (!this.#take('}')) {
      if (entries.length > 0) {
        this.#expect(',');
        if (this.#take('}')) break;
      }
      const [, quote, quoted = '', , name] = this.#next() ?? [];
      const key = quote === undefined ? name : quoted;
      if (key === undefined) throw this.#wrong();
      this.#expect(':');
      entries.push([key, this.#argument()]);
    }
    // An argument without a value is left out.
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  #argument(): unknown {
    if (this.#take('{')) return this.#object();
    if (!this.#take('[')) return this.#choice();
    const items: unknown[] = [];
    while (!this.#take(']')) {
      if (items.length > 0) {
        this.#expect(',');
        if (this.#take(']')) break;
      }
      items.push(this.#argument());
    }
    return items;
  }

  #variable(): string {
    if (this.#take('.')) return this.#name();
    this.#expect('[');
    const [, quote, quoted = ''] = this.#next() ?? [];
    if (quote === undefined) throw this.#wrong();
    this.#expect(']');
    return quoted;
  }

  #name(): string {
    const [, , , , name] = this.#next() ?? [];
    if (name === undefined) throw this.#wrong();
    return name;
  }

  #take(sign: string): boolean {
    const before = this.#at;
    if (this.#next()?.[5] === sign) return true;
    this.#at = before;
    return false;
  }

  #expect(sign: string): void {
    if (!this.#take(sign)) throw this.#wrong();
  }

  #next(): RegExpExecArray | undefined {
    token.lastIndex = this.#at;
    const found = token.exec(this.#source) ?? undefined;
    if (found !== undefined) this.#at = token.lastIndex;
    return found;
  }

  #wrong(): ExpressionError {
    return new ExpressionError(`\${${this.#source}} is not understood`);
  }
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

function isTrue(value: Value): boolean {
  return value !== undefined && value !== '' && value !== false && value !== 0;
}
