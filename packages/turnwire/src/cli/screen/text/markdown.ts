import { lexer, type MarkedToken, type Token, type Tokens } from 'marked';
import { printable, type Style } from '../../process/terminal.js';
import { table } from './table.js';
import { cut, wrapped } from './wrap.js';

/** The most characters of a growing block that are drawn: it is redrawn again and again, and no window shows more. */
const longestGrowing = 8000;

export type Styler = (style: Style, text: string) => string;

/**
 * Renders Markdown while it streams. Finished blocks are given once, in lines of a width; the growing block can be shown meanwhile. Callers make the text
 * printable first.
 */
export class MarkdownStream {
  readonly #style: Styler;
  #text = '';
  /** True where a line has ended since blocks were last looked for; no block ends within a line. */
  #ended = false;
  #first = true;

  constructor(style: Styler) {
    this.#style = style;
  }

  push(text: string): void {
    this.#text += text;
    this.#ended ||= text.includes('\n');
  }

  /** The lines of the blocks that have been finished since the last call. */
  finished(width: number): string[] {
    if (!this.#ended) return [];
    this.#ended = false;
    const tokens = lexer(this.#text);
    const last = tokens.findLastIndex(({ type }) => type !== 'space');
    const done = tokens.slice(0, Math.max(0, last));
    this.#text = this.#text.slice(done.reduce((length, { raw }) => length + raw.length, 0));
    return this.#blocks(done, width);
  }

  /** The lines of the growing block. */
  growing(width: number): string[] {
    const lines = blocks(
      lexer(this.#text.length <= longestGrowing ? this.#text : endOf(this.#text)),
      width,
      this.#style,
    );
    return lines.length === 0 || this.#first ? lines : ['', ...lines];
  }

  /** Ends the text: gives the lines of the rest. The next text begins anew. */
  end(width: number): string[] {
    const lines = this.#blocks(lexer(this.#text), width);
    this.#text = '';
    this.#first = true;
    return lines;
  }

  #blocks(tokens: readonly Token[], width: number): string[] {
    const lines = blocks(tokens, width, this.#style);
    if (lines.length === 0) return lines;
    const before = this.#first ? [] : [''];
    this.#first = false;
    return [...before, ...lines];
  }
}

/** Renders a whole text. */
export function rendered(text: string, style: Styler, width: number): string[] {
  const stream = new MarkdownStream(style);
  stream.push(printable(text));
  return stream.end(width);
}

/** The last lines of a text. Where they are code, they stay within their fence. */
function endOf(text: string): string {
  const [fence = ''] = /^(?:```|~~~).*\n/.exec(text) ?? [];
  return `${fence}${text.slice(-longestGrowing).replace(/^[^\n]*\n/, '')}`;
}

function blocks(tokens: readonly Token[], width: number, style: Styler): string[] {
  const lines: string[] = [];
  for (const token of tokens) {
    if (token.type === 'space' || token.type === 'def') continue;
    if (lines.length > 0) lines.push('');
    lines.push(...block(token as MarkedToken, width, style));
  }
  return lines;
}

function block(token: MarkedToken, width: number, style: Styler): string[] {
  switch (token.type) {
    case 'heading':
      return wrapped(
        style(token.depth === 1 ? 'underline' : 'bold', style('bold', inline(token.tokens, style))),
        width,
      );
    case 'code': {
      const text = token.text.split('\n').flatMap((line) => cut(line.replaceAll('\t', '    '), Math.max(1, width - 2)));
      return text.map((line) => `${style('dim', '│')} ${style('cyan', line)}`);
    }
    case 'blockquote':
      return blocks(token.tokens, width - 2, style).map((line) => `${style('dim', '▎')} ${line}`);
    case 'list':
      return list(token, width, style);
    case 'table':
      return table(
        token.header.map(({ tokens }) => style('bold', inline(tokens, style))),
        token.rows.map((row) => row.map(({ tokens }) => inline(tokens, style))),
        { width, line: (text) => style('dim', text), align: token.align },
      );
    case 'hr':
      return [style('dim', '─'.repeat(Math.max(1, Math.min(width, 40))))];
    case 'paragraph':
      return wrapped(inline(token.tokens, style), width);
    case 'text':
      return wrapped(token.tokens === undefined ? token.text : inline(token.tokens, style), width);
    default:
      return wrapped(token.raw.trimEnd(), width);
  }
}

function list({ items, ordered, start, loose }: Tokens.List, width: number, style: Styler): string[] {
  return items.flatMap((item, index) => {
    const mark = ordered ? `${Number(start) + index}. ` : '• ';
    // A deeply nested list in a narrow window keeps ten columns.
    const room = Math.max(10, width - mark.length);
    const tokens = item.tokens.filter(({ type }) => type !== 'checkbox');
    const inner = tokens.flatMap((token) => (token.type === 'space' ? [] : block(token as MarkedToken, room, style)));
    const box = item.task ? (item.checked === true ? '☑ ' : '☐ ') : '';
    const lines = (inner.length === 0 ? [''] : inner).map((line, row) =>
      row === 0 ? `${style('dim', mark)}${box}${line}` : `${' '.repeat(mark.length)}${line}`,
    );
    return loose && index > 0 ? ['', ...lines] : lines;
  });
}

function inline(tokens: readonly Token[] | undefined, style: Styler): string {
  return ((tokens as MarkedToken[] | undefined) ?? []).map((token) => span(token, style)).join('');
}

function span(token: MarkedToken, style: Styler): string {
  switch (token.type) {
    case 'strong':
      return style('bold', inline(token.tokens, style));
    case 'em':
      return style('italic', inline(token.tokens, style));
    case 'del':
      return style('strikethrough', inline(token.tokens, style));
    case 'codespan':
      return style('cyan', token.text);
    case 'br':
      return '\n';
    case 'link': {
      const text = inline(token.tokens, style);
      // The address of a link is always shown.
      return token.text === token.href
        ? style('underline', text)
        : `${style('underline', text)} ${style('dim', `(${token.href})`)}`;
    }
    case 'image':
      return `${token.text} ${style('dim', `(${token.href})`)}`;
    case 'escape':
      return token.text;
    case 'text':
      return token.tokens === undefined ? unescaped(token.text) : inline(token.tokens, style);
    default:
      return token.raw;
  }
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
};

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => entities[entity] ?? entity);
}
