/** The sentence that says how a conversation goes on. `place`: the folder that its tools worked in, where that is not the current one. */
export function resumeHint(file: string, session: string, place: string | undefined): string {
  const where = place === undefined ? '' : ` --working-dir ${inShell(place)}`;
  return `To go on with this conversation: turnwire run ${inShell(file)} --session ${session}${where}`;
}

/** Quotes a name as an argument for a shell, where it needs that. */
function inShell(name: string): string {
  return /^[\w./~@%+:,-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
