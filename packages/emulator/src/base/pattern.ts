/** Finds a text (as it is written), or a regular expression written `/…/flags`. Throws a SyntaxError if it is none. */
export function compilePattern(pattern: string): (text: string) => boolean {
  const regex = /^\/(.+)\/([a-z]*)$/s.exec(pattern);
  if (regex === null) return (text) => text.includes(pattern);
  const compiled = new RegExp(regex[1] ?? '', regex[2]);
  // `search` ignores the state that the flags g and y give to a regular expression.
  return (text) => text.search(compiled) !== -1;
}
