const hexadecimal = /^([a-z]{1,8}_)((?:[0-9a-f]{2}){12,40})$/;
const packed = /^([a-z]{1,8}_)~([\w-]{16,54})$/;

/** An id in a shorter form for Redis: its hexadecimal digits take two thirds of their length. */
export function packId(id: string): string {
  const [, prefix, digits] = hexadecimal.exec(id) ?? [];
  return prefix === undefined || digits === undefined
    ? id
    : `${prefix}~${Buffer.from(digits, 'hex').toString('base64url')}`;
}

export function unpackId(text: string): string {
  const [, prefix, digits] = packed.exec(text) ?? [];
  return prefix === undefined || digits === undefined
    ? text
    : prefix + Buffer.from(digits, 'base64url').toString('hex');
}
