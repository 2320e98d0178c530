import { basename } from 'node:path';
import { readShell } from './shell-words.js';

/** What a text for the shell runs, for rules that deny or ask. */
export interface Commands {
  /** Each command that the text shows, as a line with single blanks: from its name on, whatever stands before it. */
  lines: ReadonlySet<string>;
  /** Whether there is more than can be told: too long, or nested too deeply. */
  unclear: boolean;
}

/** Of a text, in characters: more is not read. */
const longestText = 256 * 1024;
/** Of all lines together, in characters: a chain of commands that run one another has as many lines as words. */
const mostCharacters = 1024 * 1024;
const mostReadings = 5000;
/** Texts within commands within texts: `sh -c "sh -c …"`. */
const deepest = 6;

/** Words of the grammar before a command. */
const reserved: ReadonlySet<string> = new Set([
  '!',
  '{',
  '}',
  'if',
  'then',
  'else',
  'elif',
  'do',
  'while',
  'until',
  'coproc',
]);

/** Commands that run the command after them, and how many words of their own they take before it, options aside. */
const wrappers: Readonly<Record<string, 0 | 1>> = {
  builtin: 0,
  busybox: 0,
  caffeinate: 0,
  chroot: 1,
  chrt: 1,
  command: 0,
  doas: 0,
  entr: 0,
  env: 0,
  exec: 0,
  fakeroot: 0,
  flock: 1,
  gtimeout: 1,
  ionice: 0,
  nice: 0,
  nohup: 0,
  nsenter: 0,
  parallel: 0,
  proxychains: 0,
  rlwrap: 0,
  runuser: 0,
  setsid: 0,
  ssh: 1,
  stdbuf: 0,
  strace: 0,
  sudo: 0,
  'systemd-run': 0,
  taskset: 1,
  time: 0,
  timeout: 1,
  toybox: 0,
  unbuffer: 0,
  unshare: 0,
  watch: 0,
  xargs: 0,
};

/** Commands among whose arguments are texts for the shell. */
const takingText: ReadonlySet<string> = new Set([
  'alias',
  'ash',
  'bash',
  'dash',
  'fish',
  'ksh',
  'sh',
  'zsh',
  'env',
  'eval',
  'flock',
  'parallel',
  'runuser',
  'script',
  'ssh',
  'su',
  'trap',
  'watch',
]);

/** Commands that run what they read, from a file or from another command. */
const shells: ReadonlySet<string> = new Set(['.', 'ash', 'bash', 'dash', 'fish', 'ksh', 'sh', 'source', 'zsh']);
/** Commands that print their arguments. */
const printing: ReadonlySet<string> = new Set(['echo', 'printf']);

/** Arguments of `find` after which a command stands. */
const findActions: ReadonlySet<string> = new Set(['-exec', '-execdir', '-ok', '-okdir']);

/** Reads what a text for the shell would run. A name can be hidden from this; blanks, quotes, assignments and the like are no hiding. */
export function commandsIn(text: string): Commands {
  const found: Found = { lines: new Set(), unclear: text.length > longestText, characters: 0, readings: 0 };
  if (found.unclear) return found;
  read(text, found, 0);
  // A quote that is none, in a comment or in a document that stands in the text, would hide all that follows.
  const lines = text.split(/[\n\r;&|]+/);
  if (lines.length > 1) for (const line of lines) read(line, found, 0);
  return found;
}

interface Found extends Commands {
  lines: Set<string>;
  characters: number;
  readings: number;
}

function read(text: string, found: Found, depth: number): void {
  found.readings += 1;
  if (depth > deepest || found.readings > mostReadings) found.unclear = true;
  if (found.unclear) return;
  const { commands, unclear } = readShell(text);
  if (unclear) found.unclear = true;
  const named = (command: readonly { text: string }[], names: ReadonlySet<string>): boolean =>
    command.some(({ text: word }) => names.has(basename(word)));
  // What is printed may be what a shell reads.
  const runsPrinted = commands.some((command) => named(command, shells));
  for (const command of commands) {
    const words = command.map((word) => word.text);
    if (runsPrinted && named(command, printing)) for (const word of words) read(word, found, depth + 1);
    if (runsPrinted && named(command, printing)) read(words.slice(1).join(' '), found, depth + 1);
    const bare = command.map((word) => word.bare).filter((word, index) => word !== '' || command[index]?.text === '');
    look(words, found, depth);
    if (bare.join(' ') !== words.join(' ')) look(bare, found, depth);
  }
}

/** A place in the words of a command: where a command begins, or, with `own`, what stands between a wrapper and the command that it runs. */
interface Place {
  at: number;
  own: 0 | 1 | undefined;
}

/** Notes a command, and the commands that it runs. */
function look(words: readonly string[], found: Found, depth: number): void {
  const places: Place[] = [{ at: 0, own: undefined }];
  const seen = new Set<string>();
  for (const { at, own } of places) {
    const key = `${at} ${own}`;
    if (seen.has(key) || at >= words.length) continue;
    if (found.unclear) return;
    seen.add(key);
    if (own !== undefined) places.push(...behindWrapper(words[at] ?? '', at, own));
    else places.push(...commandAt(words, at, found, depth));
  }
}

function behindWrapper(word: string, at: number, own: 0 | 1): Place[] {
  const option = word.startsWith('-');
  if (!option && !isAssignment(word)) {
    const here: Place = { at, own: undefined };
    return own === 1 ? [here, { at: at + 1, own: undefined }] : [here];
  }
  const next: Place = { at: at + 1, own };
  // The next word may be the value of the option.
  return option && !word.includes('=') ? [next, { at: at + 2, own }] : [next];
}

/** Notes the command that begins at a place, and tells where others may. */
function commandAt(words: readonly string[], at: number, found: Found, depth: number): Place[] {
  let from = at;
  while (from < words.length && (isAssignment(words[from] ?? '') || reserved.has(words[from] ?? ''))) from += 1;
  const [first, ...rest] = words.slice(from);
  if (first === undefined) return [];
  const name = basename(first);
  const after = rest.map((word) => ` ${word}`).join('');
  found.lines.add(first + after).add(name + after);
  found.characters += 2 * (first.length + after.length);
  if (found.characters > mostCharacters) found.unclear = true;
  if (takingText.has(name)) {
    for (const word of rest)
      if (/[\s;&|()<>`$]/.test(word))
        read(word.replace(name === 'alias' ? /^[\w-]+=/ : /^--?[\w-]+=/, ''), found, depth + 1);
    if (name === 'eval') read(rest.join(' '), found, depth + 1);
  }
  if (name === 'git') {
    // An alias that is given on the way: `-c alias.x='!command'`.
    for (const word of rest) {
      const [, text] = /^[\w.-]+=!([^]*)$/.exec(word) ?? [];
      if (text !== undefined) read(text, found, depth + 1);
    }
  }
  if (name === 'find')
    return rest.flatMap((word, index): Place[] =>
      findActions.has(word) ? [{ at: from + index + 2, own: undefined }] : [],
    );
  const own = Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
  return own === undefined ? [] : [{ at: from + 1, own }];
}

function isAssignment(word: string): boolean {
  return /^[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=/.test(word);
}
