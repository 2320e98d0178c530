import { Tokenizer } from 'htmlparser2';

/** Receives the parts of a page in their order. Names are in lower case. */
export interface HtmlReader {
  open(name: string, attributes: Attributes): void;
  close(name: string): void;
  text(text: string): void;
}

/** Attributes that matter for the text, as far as a tag has them. */
export type Attributes = Readonly<Partial<Record<AttributeName, string>>>;

const attributeNames = ['alt', 'class', 'href', 'src', 'start'] as const;
type AttributeName = (typeof attributeNames)[number];

/**
 * Reads HTML with the tokenizer of htmlparser2, whose time grows only with the length of the page. Its parser is not used: its work for each tag grows with
 * the nesting, so that a page of 2 MiB can take minutes.
 */
export function readHtml(html: string, reader: HtmlReader): void {
  let tag = '';
  let attributes: Partial<Record<AttributeName, string>> = {};
  let attribute = '';
  let value = '';
  // The text that was not passed on yet: the tokenizer gives text in pieces as short as one character.
  let textStart = 0;
  let textEnd = 0;
  const tellText = (): void => {
    if (textEnd > textStart) reader.text(html.slice(textStart, textEnd));
    textStart = textEnd;
  };
  const opened = (): void => reader.open(tag, attributes);
  const ignored = (): void => undefined;
  const tokenizer = new Tokenizer(
    {},
    {
      ontext(start, end) {
        if (start !== textEnd) {
          tellText();
          textStart = start;
        }
        textEnd = end;
      },
      ontextentity(codePoint) {
        tellText();
        reader.text(String.fromCodePoint(codePoint));
      },
      onopentagname(start, end) {
        tellText();
        tag = html.slice(start, end).toLowerCase();
        attributes = {};
      },
      onattribname: (start, end) => void (attribute = html.slice(start, end).toLowerCase()),
      onattribdata: (start, end) => void (value += html.slice(start, end)),
      onattribentity: (codePoint) => void (value += String.fromCodePoint(codePoint)),
      onattribend() {
        const known = attributeNames.find((name) => name === attribute);
        if (known !== undefined) attributes[known] ??= value;
        value = '';
      },
      onopentagend: opened,
      // A slash at the end of a tag has a meaning only in SVG and MathML.
      onselfclosingtag() {
        opened();
        if (tag === 'svg' || tag === 'math') reader.close(tag);
      },
      onclosetag(start, end) {
        tellText();
        reader.close(html.slice(start, end).toLowerCase());
      },
      oncomment: ignored,
      oncdata: ignored,
      ondeclaration: ignored,
      onprocessinginstruction: ignored,
      onend: ignored,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  tellText();
}
