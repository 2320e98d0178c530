/** A test for texts: whether they contain `pattern`, or match it if it is a regular expression written `/…/flags`. @throws SyntaxError */
export function compilePattern(pattern: string): (text: string) => boolean {
  const regex = /^\/(.+)\/([a-z]*)$/s.exec(pattern);
  if (regex === null) return (text) => text.includes(pattern);
  const compiled = new RegExp(regex[1] ?? '', regex[2]);
  // `search` ignores the state that the flags g and y give to a regular expression.
  return (text) => text.search(compiled) !== -1;
}
