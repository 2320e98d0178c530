import { type Attributes, type HtmlReader, readHtml } from './html-tokens.js';
import { Table } from './table.js';
import { TextWriter } from './text-writer.js';

export interface PageTextOptions {
  /** `text`: the text that a person reads, with simple marks for links, headings, lists and tables; `markdown`: GitHub's Markdown. */
  format: 'text' | 'markdown';
  /** The address of the page, to which relative links belong. */
  url: string;
}

/** The text of an HTML page. It takes a second or two for one of 2 MiB. */
export function pageText(html: string, { format, url }: PageTextOptions): string {
  const page = new PageText(format === 'markdown', url);
  readHtml(html, page);
  return page.end();
}

/** Elements whose content people do not read, or not as text. */
const unread: ReadonlySet<string> = new Set(
  'script style noscript template svg annotation annotation-xml title iframe object canvas audio video select datalist textarea noembed noframes'.split(
    ' ',
  ),
);
/** Elements that begin and end a paragraph. */
const paragraphs: ReadonlySet<string> = new Set(
  'article aside blockquote dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr main menu nav ol p section table ul'.split(
    ' ',
  ),
);
/** Elements that begin and end a line. */
const lines: ReadonlySet<string> = new Set(
  'address body caption center dd details dialog dir div dt figcaption legend li option search summary tbody tfoot thead tr'.split(
    ' ',
  ),
);
/** Elements that have marks within a line in Markdown. */
const marks: ReadonlyMap<string, string> = new Map([
  ...['b', 'strong'].map((name) => [name, '**'] as const),
  ...['em', 'i'].map((name) => [name, '*'] as const),
  ...['code', 'kbd', 'samp', 'tt'].map((name) => [name, '`'] as const),
  ...['del', 's', 'strike'].map((name) => [name, '~~'] as const),
]);
/** Elements that make a table cell more than a text. */
const structure: ReadonlySet<string> = new Set('form h1 h2 h3 h4 h5 h6 table'.split(' '));

/** The deepest nesting of tables; deeper ones are written as lines. */
const mostTables = 4;

/** The destination of text: the page, a cell, or a `pre`, which keeps its blanks. */
interface Place {
  kind: 'page' | 'cell' | 'pre';
  writer: TextWriter;
  /** The open lists, each with the number of its next item. `item`: one of its items is open, and indents. */
  lists: { next: number | undefined; item: boolean }[];
  /** The open quotes, and whether each indents. */
  quotes: boolean[];
  heading: boolean;
  /** The text of a `pre`, its language, and the tables that are open within it. */
  kept: string[];
  language: string;
  tables: number;
  /** The table of a cell. */
  table: Table | undefined;
}

class PageText implements HtmlReader {
  readonly #markdown: boolean;
  #base: string;
  readonly #page: Place;
  readonly #places: Place[] = [];
  readonly #tables: Table[] = [];
  /** Open tables that are nested too deeply to be written as tables. */
  #deepTables = 0;
  /** The element that is being skipped, and the number of open elements with its name. */
  #skipped: { name: string; depth: number } | undefined;

  constructor(markdown: boolean, url: string) {
    this.#markdown = markdown;
    this.#base = url;
    this.#page = this.#place('page');
  }

  text(text: string): void {
    if (this.#skipped !== undefined) return;
    const { kind, writer, kept } = this.#here;
    if (kind === 'pre') kept.push(text);
    else writer.text(text);
  }

  open(name: string, attributes: Attributes): void {
    if (this.#skipped !== undefined) {
      if (name === this.#skipped.name) this.#skipped.depth += 1;
      return;
    }
    if (unread.has(name)) {
      this.#skipped = { name, depth: 1 };
      return;
    }
    if (this.#here.kind === 'pre' && !this.#openInPre(name, attributes)) return;
    this.#block(name);
    const { writer } = this.#here;
    const mark = marks.get(name);
    if (mark !== undefined && this.#markdown) writer.mark({ name, open: mark, close: mark, verbatim: mark === '`' });
    switch (name) {
      case 'base':
        this.#base = this.#address(attributes.href) ?? this.#base;
        return;
      case 'br':
        return writer.lineEnd();
      case 'hr':
        return writer.verbatim('---');
      case 'img':
        return this.#image(attributes);
      case 'a':
        return this.#link(attributes.href);
      case 'pre':
        this.#places.push({ ...this.#place('pre'), language: languageOf(attributes) });
        return;
      case 'blockquote':
        this.#here.quotes.push(writer.indent('> ', '> '));
        return;
      case 'ol':
      case 'ul':
      case 'menu':
        this.#here.lists.push({ next: name === 'ol' ? firstNumber(attributes.start) : undefined, item: false });
        return;
      case 'li':
        return this.#item();
      case 'dt':
      case 'dd':
        writer.endMark('dd');
        if (name === 'dd') writer.mark({ name, open: ': ', close: '', once: true });
        return;
      case 'table':
        if (this.#tables.length < mostTables) this.#tables.push(new Table(this.#markdown));
        else this.#deepTables += 1;
        return;
      case 'tr':
        if (this.#deepTables > 0) return;
        this.#endCell();
        this.#tables.at(-1)?.row();
        return;
      case 'td':
      case 'th':
        return this.#cell();
      default:
        if (!/^h[1-6]$/.test(name)) return;
        this.#here.heading = writer.indent(`${'#'.repeat(Number(name[1]))} `, '');
    }
  }

  close(name: string): void {
    if (this.#skipped !== undefined) {
      if (name === this.#skipped.name) this.#skipped.depth -= 1;
      if (this.#skipped.depth === 0) this.#skipped = undefined;
      return;
    }
    if (name === 'pre') this.#endPre();
    if (this.#here.kind === 'pre' && !this.#closeInPre(name)) return;
    if (name === 'table') this.#endTable();
    else if (isCell(name)) this.#endCell();
    const { writer, lists, quotes } = this.#here;
    writer.endMark(name);
    if (name === 'li') this.#endItem();
    if (name === 'ol' || name === 'ul' || name === 'menu') {
      this.#endItem();
      lists.pop();
    }
    if (name === 'blockquote' && quotes.pop() === true) writer.outdent();
    this.#block(name);
  }

  end(): string {
    this.#deepTables = 0;
    while (this.#tables.length > 0) this.#endTable();
    this.#endPre();
    return this.#page.writer.toString();
  }

  get #here(): Place {
    return this.#places.at(-1) ?? this.#page;
  }

  #place(kind: Place['kind'], table?: Table): Place {
    const writer = new TextWriter(this.#markdown ? escapeMarkdown : undefined);
    return { kind, writer, lists: [], quotes: [], heading: false, kept: [], language: '', tables: 0, table };
  }

  /** Begins or ends a block. */
  #block(name: string): void {
    const place = this.#here;
    const { writer, lists, table } = place;
    if (!isBlock(name)) return;
    if (place.heading) {
      writer.outdent();
      place.heading = false;
    }
    if (table !== undefined && structure.has(name)) table.arranges = true;
    // A list within a list continues its lines.
    const isList = name === 'ol' || name === 'ul' || name === 'menu';
    if (paragraphs.has(name) && !(isList && lists.length > 0)) writer.paragraph();
    else writer.line();
  }

  /** Handles a tag within a `pre`, where line ends matter and little else. True for a tag that ends the `pre`, because the cell around it ends. */
  #openInPre(name: string, attributes: Attributes): boolean {
    const { kept, tables, language } = this.#here;
    if (isCell(name) && tables === 0 && this.#tables.length > 0) {
      this.#endPre();
      return true;
    }
    if (name === 'table') this.#here.tables += 1;
    if (name === 'code' && language === '') this.#here.language = languageOf(attributes);
    const begins = kept.length === 0 || kept.at(-1)?.endsWith('\n') === true;
    if (name === 'br' || (isBlock(name) && !begins)) kept.push('\n');
    else if (isCell(name) && !begins) kept.push('\t');
    return false;
  }

  /** True for a tag that ends the `pre`, because an element around it ends. */
  #closeInPre(name: string): boolean {
    const { tables } = this.#here;
    if (name === 'table' && tables > 0) this.#here.tables -= 1;
    else if ((name === 'table' || isCell(name)) && tables === 0 && this.#tables.length > 0) {
      this.#endPre();
      return true;
    }
    return false;
  }

  #endPre(): void {
    const { kind, kept, language } = this.#here;
    if (kind !== 'pre') return;
    this.#places.pop();
    const text = kept.join('').replace(/\r\n?/g, '\n').replace(/^\n/, '').trimEnd();
    if (text === '') return;
    const { writer, table } = this.#here;
    if (table !== undefined) table.arranges = true;
    let fence = '```';
    if (this.#markdown) for (const [run] of text.matchAll(/`{3,}/g)) if (run.length >= fence.length) fence = `${run}\``;
    writer.verbatim(this.#markdown ? `${fence}${language}\n${text}\n${fence}` : text);
  }

  #item(): void {
    this.#endItem();
    const { writer, lists } = this.#here;
    const list = lists.at(-1);
    const bullet = list?.next === undefined ? '- ' : `${list.next}. `;
    if (list?.next !== undefined) list.next += 1;
    const indents = writer.indent(bullet, ' '.repeat(bullet.length));
    if (list !== undefined) list.item = indents;
    else if (indents) lists.push({ next: undefined, item: true });
  }

  #endItem(): void {
    const { writer, lists } = this.#here;
    const list = lists.at(-1);
    if (list?.item !== true) return;
    writer.outdent();
    list.item = false;
  }

  #cell(): void {
    const table = this.#deepTables > 0 ? undefined : this.#tables.at(-1);
    // Cells outside of a table are written side by side.
    if (table === undefined) return this.#here.writer.blank();
    this.#endCell();
    this.#places.push(this.#place('cell', table));
  }

  /** Ends the cell of the innermost table, if one is open. */
  #endCell(): void {
    const table = this.#tables.at(-1);
    if (table === undefined || this.#deepTables > 0) return;
    this.#endPre();
    if (this.#here.table === table) table.cell(this.#places.pop()?.writer.toString() ?? '');
  }

  #endTable(): void {
    if (this.#deepTables > 0) {
      this.#deepTables -= 1;
      return;
    }
    this.#endCell();
    this.#tables.pop()?.writeTo(this.#here.writer);
  }

  #link(href: string | undefined): void {
    const { writer } = this.#here;
    writer.endMark('a');
    const address = this.#address(href);
    if (address !== undefined) writer.mark({ name: 'a', open: '[', close: `](${address})`, once: true });
  }

  #image(attributes: Attributes): void {
    const alt = (attributes.alt ?? '').replace(/\s+/g, ' ').trim();
    const address = this.#address(attributes.src);
    const { writer } = this.#here;
    if (!this.#markdown) writer.text(alt);
    else if (alt !== '' && address !== undefined) writer.raw(`![${escapeMarkdown(alt, false)}](${address})`);
  }

  /** The absolute address of a link; undefined for one that does not lead to another page. */
  #address(href: string | undefined): string | undefined {
    if (href === undefined || href === '' || href.startsWith('#') || !URL.canParse(href, this.#base)) return undefined;
    const url = new URL(href, this.#base);
    if (!['http:', 'https:', 'mailto:'].includes(url.protocol)) return undefined;
    return url.href.replace(/[()]/g, (character) => (character === '(' ? '%28' : '%29'));
  }
}

function isBlock(name: string): boolean {
  return paragraphs.has(name) || lines.has(name);
}

function isCell(name: string): boolean {
  return name === 'td' || name === 'th' || name === 'tr';
}

function firstNumber(start: string | undefined): number {
  const number = Number.parseInt(start ?? '1', 10);
  return number >= 0 && number < 1e9 ? number : 1;
}

/** The language of a code block, from the class that highlighters use: `class="language-ts"`. */
function languageOf(attributes: Attributes): string {
  return /(?:^|\s)lang(?:uage)?-([\w+#.-]{1,30})/.exec(attributes.class ?? '')?.[1] ?? '';
}

/** Escapes characters that have a meaning in Markdown. */
function escapeMarkdown(text: string, atLineStart: boolean): string {
  const escaped = text.replace(/[\\`*[\]<]|\b_|_\b/g, '\\$&');
  return atLineStart ? escaped.replace(/^(?=[#>+-])/, '\\').replace(/^(\d+)(?=[.)])/, '$1\\') : escaped;
}
