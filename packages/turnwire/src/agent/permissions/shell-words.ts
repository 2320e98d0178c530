/** A word of a command after quotes and expansions, as far as the text alone shows them. */
interface Word {
  /** The word with the variables that the text sets; unknown ones stay as they are written. */
  text: string;
  /** The word without the parts that expand to something unknown, which may be empty. */
  bare: string;
}

/** The commands of a shell text, each with its words, and those of the texts within: substitutions, defaults, subshells. */
export interface ShellText {
  commands: Word[][];
  /** True where the text has too many parts or is nested too deeply to be read to its end. */
  unclear: boolean;
  /** The number of texts that were read: the whole, and those within. */
  texts: number;
}

/** The deepest nesting of texts. */
const deepest = 12;
const mostTexts = 2000;
const mostCommands = 5000;

/**
 * Reads a text as `sh` and bash split it: quotes and backslashes, comments, separators, subshells, redirections, `$(…)`, backticks, `<(…)`, `${x:-word}`. A
 * text that is no shell is read in the same way; nothing is run.
 */
export function readShell(text: string): ShellText {
  const read: ShellText = { commands: [], unclear: false, texts: 0 };
  new Reader(text, read, new Map(), 0).run();
  return read;
}

class Reader {
  readonly #text: string;
  readonly #read: ShellText;
  readonly #variables: Map<string, string>;
  readonly #depth: number;
  #at = 0;
  #command: Word[] = [];
  #word: Word | undefined;
  /** True where a part of the word was quoted: then it is no redirection, comment or list in braces. */
  #quoted = false;
  /** The redirection operator that the next word belongs to. */
  #redirects: string | undefined;

  constructor(text: string, read: ShellText, variables: Map<string, string>, depth: number) {
    this.#text = text;
    this.#read = read;
    this.#variables = variables;
    this.#depth = depth;
  }

  run(): void {
    const read = this.#read;
    read.texts += 1;
    if (this.#depth > deepest || read.texts > mostTexts) read.unclear = true;
    while (this.#at < this.#text.length && !read.unclear) {
      this.#step();
      if (read.commands.length > mostCommands) read.unclear = true;
    }
    this.#endCommand();
  }

  #step(): void {
    const character = this.#text[this.#at] ?? '';
    switch (character) {
      case ' ':
      case '\t':
        this.#at += 1;
        return this.#endWord();
      case '\n':
      case ';':
      case '|':
      case '(':
      case ')':
        this.#at += 1;
        return this.#endCommand();
      case '&':
        this.#at += 1;
        if (this.#text[this.#at] !== '>') return this.#endCommand();
        this.#endWord();
        return this.#redirect();
      case '<':
      case '>':
        return this.#redirect();
      case '#':
        if (this.#word === undefined) return this.#skipComment();
        break;
      case '\\':
        return this.#escaped();
      case "'":
        return this.#quoteTo("'");
      case '"':
        return this.#doubleQuoted();
      case '`':
        return this.#add(this.#backticks());
      case '$':
        return this.#dollar(false);
      default:
    }
    this.#at += 1;
    this.#add(character);
  }

  #add(text: string | Word): void {
    this.#word ??= { text: '', bare: '' };
    this.#word.text += typeof text === 'string' ? text : text.text;
    this.#word.bare += typeof text === 'string' ? text : text.bare;
  }

  #endWord(): void {
    const word = this.#word;
    const quoted = this.#quoted;
    this.#word = undefined;
    this.#quoted = false;
    if (word === undefined) return;
    if (this.#redirects !== undefined) {
      // A shell may run the input of a command.
      if (this.#redirects === '<<<') new Reader(word.text, this.#read, new Map(), this.#depth + 1).run();
      this.#redirects = undefined;
      return;
    }
    const [, name = '', value = ''] = /^([A-Za-z_]\w*)=([^]*)$/.exec(word.text) ?? [];
    if (name !== '') this.#variables.set(name, value);
    const list = quoted ? undefined : /^\{([^{}]*,[^{}]*)\}$/.exec(word.text)?.[1];
    if (list === undefined) this.#command.push(word);
    else for (const part of list.split(',')) this.#command.push({ text: part, bare: part });
  }

  #endCommand(): void {
    this.#endWord();
    this.#redirects = undefined;
    if (this.#command.length > 0) this.#read.commands.push(this.#command);
    this.#command = [];
  }

  #redirect(): void {
    // Digits or a name in braces right before the operator are its descriptor, not a word.
    if (this.#word !== undefined && !this.#quoted && /^(?:\d+|\{\w+\})$/.test(this.#word.text)) this.#word = undefined;
    this.#endWord();
    const [operator = '>'] = /^(?:<<<|<<-?|<>|<&|>>|>&|>\||<|>)/.exec(this.#text.slice(this.#at, this.#at + 3)) ?? [];
    this.#at += operator.length;
    if (operator.length === 1 && this.#text[this.#at] === '(') {
      this.#at += 1;
      return this.#add(this.#inner(')'));
    }
    this.#redirects = operator;
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end;
  }

  #escaped(): void {
    const next = this.#text[this.#at + 1] ?? '';
    this.#at += 2;
    if (next === '\n') return;
    this.#quoted = true;
    this.#add(next);
  }

  #quoteTo(quote: string): void {
    const end = this.#text.indexOf(quote, this.#at + 1);
    const to = end === -1 ? this.#text.length : end;
    this.#quoted = true;
    this.#add(this.#text.slice(this.#at + 1, to));
    this.#at = to + 1;
  }

  #doubleQuoted(): void {
    this.#at += 1;
    this.#quoted = true;
    this.#add('');
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (character === '"') {
        this.#at += 1;
        return;
      }
      if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? '';
        this.#add(next === '\n' ? '' : /[$`"\\]/.test(next) ? next : `\\${next}`);
        this.#at += 2;
      } else if (character === '`') this.#add(this.#backticks());
      else if (character === '$') this.#dollar(true);
      else {
        this.#add(character);
        this.#at += 1;
      }
    }
  }

  #dollar(inQuotes: boolean): void {
    const next = this.#text[this.#at + 1] ?? '';
    if (next === "'" && !inQuotes) return this.#ansiQuoted();
    if (next === '"' && !inQuotes) {
      this.#at += 1;
      return;
    }
    if (next === '(') {
      this.#at += 2;
      return this.#add(this.#inner(')'));
    }
    if (next === '{') {
      this.#at += 2;
      return this.#variable(this.#inside('}'), inQuotes);
    }
    const [name = ''] = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.#text.slice(this.#at + 1, this.#at + 129)) ?? [];
    this.#at += 1 + name.length;
    if (name === '') return this.#add('$');
    return this.#variable(name, inQuotes);
  }

  /** The value of `$name`, or of the text in `${…}`. */
  #variable(inside: string, inQuotes: boolean): void {
    const [, name = '', rest = ''] = /^[#!]?([A-Za-z_]\w*|.)([^]*)$/.exec(inside) ?? [];
    if (/[`$]/.test(rest)) this.#readWithin(rest);
    if (name === 'IFS' && rest === '') return inQuotes ? this.#add(' ') : this.#endWord();
    const known = this.#variables.get(name);
    const fallback = /^:?[-=]([^]*)$/.exec(rest)?.[1];
    const value = known ?? fallback;
    if (value === undefined) this.#add({ text: `\${${inside}}`, bare: '' });
    else this.#add({ text: value, bare: value });
  }

  /** Reads `$'…'`, with the escapes of C. */
  #ansiQuoted(): void {
    const [whole = '', body = ''] = /^\$'((?:\\[^]|[^'\\])*)'?/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += Math.max(2, whole.length);
    this.#quoted = true;
    this.#add(
      body.replace(/\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|([^]))/g, escapeOfC),
    );
  }

  /** Reads the commands of a substitution. Its value is guessed as the last word of its first command. */
  #inner(end: string): Word {
    return this.#readWithin(this.#inside(end));
  }

  #backticks(): Word {
    const [whole = '`', body = ''] = /^`((?:\\[^]|[^`\\])*)`?/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += whole.length;
    return this.#readWithin(body.replace(/\\([$`\\])/g, '$1'));
  }

  #readWithin(text: string): Word {
    const before = this.#read.commands.length;
    new Reader(text, this.#read, this.#variables, this.#depth + 1).run();
    return { text: this.#read.commands[before]?.at(-1)?.text ?? '', bare: '' };
  }

  /** The text up to the end of a substitution, which may contain quotes and other substitutions. */
  #inside(end: string): string {
    const open = end === ')' ? '(' : '{';
    const from = this.#at;
    let depth = 1;
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === '\\') this.#at += 1;
      else if (character === "'" || character === '"') this.#at = endOfQuote(this.#text, this.#at);
      else if (character === open) depth += 1;
      else if (character === end) {
        depth -= 1;
        if (depth > 0) continue;
        this.#at += 1;
        return this.#text.slice(from, this.#at - 1);
      }
    }
    return this.#text.slice(from);
  }
}

/** The index at which the quote that begins here ends; the end of the text for one without an end. */
function endOfQuote(text: string, at: number): number {
  const quote = text[at];
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === quote) return end;
    if (quote === '"' && text[end] === '\\') end += 1;
  }
  return text.length;
}

const named: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function escapeOfC(_whole: string, hex?: string, short?: string, long?: string, octal?: string, other = ''): string {
  const digits = hex ?? short ?? long;
  const code = digits === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(digits, 16);
  if (Number.isNaN(code)) return named[other] ?? other;
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
