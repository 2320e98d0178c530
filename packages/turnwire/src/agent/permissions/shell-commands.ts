import { basename } from 'node:path';
import { readShell } from './shell-words.js';

/** The commands in a shell text, for rules that deny or ask. */
export interface Commands {
  /** Each command that the text shows, as a line with single blanks, beginning at its name without the words before it. */
  lines: ReadonlySet<string>;
  /** True where the text has more than was read: it is too long, or nested too deeply. */
  unclear: boolean;
}

/** The most characters of a text that are read. */
const longestText = 256 * 1024;
/** The most characters of all lines together: a chain of commands that run one another has as many lines as words. */
const mostCharacters = 1024 * 1024;
const mostReadings = 5000;
/** The deepest nesting of texts within commands: `sh -c "sh -c …"`. */
const deepest = 6;

/** Keywords of the shell's grammar that stand before a command. */
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

/** Commands that run the command after them, each with the number of its own arguments before that command, without options. */
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

/** Commands that take a shell text as an argument. */
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

/** Commands that run their input, from a file or from another command. */
const shells: ReadonlySet<string> = new Set(['.', 'ash', 'bash', 'dash', 'fish', 'ksh', 'sh', 'source', 'zsh']);
/** Commands that print their arguments. */
const printing: ReadonlySet<string> = new Set(['echo', 'printf']);

/** Arguments of `find` after which a command stands. */
const findActions: ReadonlySet<string> = new Set(['-exec', '-execdir', '-ok', '-okdir']);

/** Reads the commands that a shell text would run. A determined author can hide a name from this; blanks, quotes and assignments do not hide it. */
export function commandsIn(text: string): Commands {
  const found: Found = { lines: new Set(), unclear: text.length > longestText, characters: 0, readings: 0 };
  if (found.unclear) return found;
  read(text, found, 0);
  // A quote in a comment or a here-document would hide everything that follows, so each line is also read by itself.
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
  // A shell may run what another command prints.
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

/** A position among the words of a command: the beginning of a command, or, with `own`, an argument of a wrapper before the command that it runs. */
interface Place {
  at: number;
  own: 0 | 1 | undefined;
}

/** Adds a command, and the commands that it runs. */
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

/** Adds the command at a position, and gives the positions at which others may begin. */
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
    // An alias can be defined in the command: `-c alias.x='!command'`.
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
