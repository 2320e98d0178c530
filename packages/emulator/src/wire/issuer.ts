import { sha256 } from '../base/digest.js';
import { dialectTable, type DialectName } from './dialect.js';
import { Refusal } from './refusal.js';
import type { Item } from './wire.js';

/** The length of an issuer mark: the end of an id or a ciphertext, by which an emulator knows its dialect. To a client the mark looks random. */
const markLength = 8;
const names = Object.keys(dialectTable) as DialectName[];

/** `text` with an issuer mark in place of its last characters. They must be hexadecimal or base64, as the mark is. */
export function withIssuerMark(text: string, issuer: DialectName): string {
  const plain = text.slice(0, -markLength);
  return `${plain}${markFor(plain, issuer)}`;
}

/**
 * Refuses reasoning items that an emulator of another dialect has made, as providers do: a provider cannot decrypt the content of another
 * one, and knows none of its ids (D12). Reasoning that no emulator has made passes, encrypted or not, because its issuer is not known.
 */
export function refuseReasoningOfOtherIssuer(items: readonly Item[], ownIssuer: DialectName): void {
  for (const [index, { type, id, encrypted_content: encrypted }] of items.entries()) {
    if (type !== 'reasoning') continue;
    if (typeof encrypted === 'string') {
      if (!isOfOtherIssuer(encrypted, ownIssuer)) continue;
      const message = `The encrypted content ${encrypted.slice(0, 4)}...${encrypted.slice(-4)} could not be verified.`;
      throw new Refusal(message, { code: 'invalid_encrypted_content', param: `input[${index}]` });
    }
    if (typeof id === 'string' && isOfOtherIssuer(id, ownIssuer))
      throw new Refusal(`Item with id '${id}' not found.`, { status: 404, param: 'input' });
  }
}

function isOfOtherIssuer(text: string, ownIssuer: DialectName): boolean {
  const plain = text.slice(0, -markLength);
  const issuer = names.find((name) => text === `${plain}${markFor(plain, name)}`);
  return issuer !== undefined && issuer !== ownIssuer;
}

function markFor(plain: string, issuer: DialectName): string {
  return sha256(`${issuer}\n${plain}`).slice(0, markLength);
}
