import { utf8 } from '../base/utf8.js';

/** The minimum length of a text that is looked for in a recording. A shorter one would be found within words. */
export const shortestSecret = 8;

/** A text in which letters and digits may be escaped, as some encoders do with every character. */
const escapedLetters = /\\u00|%[\da-f]{2}|&#/i;

/**
 * The spellings of a secret: as it is, with characters escaped as in JSON, in a URL or in HTML, however often, in base64 at each of the three
 * alignments, and in hexadecimal digits.
 */
export class Spellings {
  /** Finds the spellings in which letters and digits are not escaped. */
  readonly #usual: RegExp;
  readonly #texts: readonly string[];
  /** Finds the other spellings. This takes far longer, so it is made and used only for texts that may have one. */
  #unusual: RegExp | undefined;

  constructor(secret: string) {
    // Node.js reads the bytes of a header as latin1, and a body that is not UTF-8 is searched as latin1.
    const asText = utf8(Buffer.from(secret, 'latin1')) ?? secret;
    const texts = [...new Set([secret, Buffer.from(secret, 'utf8').toString('latin1'), asText])];
    this.#texts = texts.flatMap((text) => [text, ...inBase64(text)]);
    const digits = texts.map((text) => anyCase(Buffer.from(text).toString('hex')));
    this.#usual = anyOf([...this.#texts.map((text) => patternOf(text, false)), ...digits]);
  }

  /** The text with `replacement` in place of the secret. */
  replace(text: string, replacement: string): string {
    const replaced = text.replace(this.#usual, replacement);
    if (!escapedLetters.test(replaced)) return replaced;
    this.#unusual ??= anyOf(this.#texts.map((each) => patternOf(each, true)));
    return replaced.replace(this.#unusual, replacement);
  }
}

function anyOf(patterns: readonly string[]): RegExp {
  return new RegExp([...new Set(patterns)].join('|'), 'g');
}

const htmlNames: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": 'apos' };

/** The pattern of a text with any of its characters escaped; its letters and digits only with `escapesLetters`. */
function patternOf(text: string, escapesLetters: boolean): string {
  const characters = text.match(/\\+|[^\\]/gu) ?? [];
  return characters.map((each) => (!escapesLetters && /\w/.test(each) ? each : characterPattern(each))).join('');
}

/**
 * The pattern of one character, or of a run of backslashes: itself, or one of its escapes. JSON within JSON doubles the backslashes of each
 * escape; four levels are found. Repetitions are bounded, so that a long run of backslashes takes no long time.
 */
function characterPattern(character: string): string {
  if (character.startsWith('\\'))
    return `(?:${String.raw`\\`}{1,${16 * character.length}}|${inUrl('\\')}|${inHtml('\\')})`;
  const itself = /\w/.test(character) ? character : String.raw`\\{0,15}${literal(character)}`;
  const spellings = [itself, inJson(character), inUrl(character), inHtml(character)];
  return `(?:${(character === ' ' ? [...spellings, String.raw`\+`] : spellings).join('|')})`;
}

function inJson(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16).padStart(4, '0');
    return String.raw`\\{1,15}u${anyCase(unit)}`;
  }).join('');
}

/** A percent sign that was escaped once more is `%25`. */
function inUrl(character: string): string {
  const bytes = [...Buffer.from(character)];
  return bytes.map((byte) => `%(?:25){0,4}${anyCase(byte.toString(16).padStart(2, '0'))}`).join('');
}

function inHtml(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const name = htmlNames[character];
  const numbers = [`#${code}`, `#[xX]${anyCase(code.toString(16))}`];
  return `&(?:${(name === undefined ? numbers : [name, ...numbers]).join('|')});`;
}

function literal(character: string): string {
  return character.replace(/[$()*+./?[\\\]^{|}-]/, String.raw`\$&`);
}

function anyCase(hexadecimal: string): string {
  return hexadecimal.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

/** The part of a secret's base64 that does not depend on the bytes around the secret, for each alignment and in both alphabets. */
function inBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const parts = [0, 1, 2].map((skipped) => {
    const whole = bytes.subarray(skipped, skipped + Math.floor((bytes.byteLength - skipped) / 3) * 3);
    return whole.toString('base64');
  });
  return parts.flatMap((part) =>
    part.length < shortestSecret ? [] : [part, part.replaceAll('+', '-').replaceAll('/', '_')],
  );
}
