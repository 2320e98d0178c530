import { homedir } from 'node:os';
import { isAbsolute, posix, relative, resolve, sep } from 'node:path';
import type { PermissionRule } from '../../config/schema/agents/permissions.js';
import { globPattern, matchesPath } from '../base/glob.js';
import type { PathArguments, Tool } from '../tools/tool.js';
import { absolute, folded, holds as isWithin } from '../tools/files/workspace.js';
import { type Commands, commandsIn } from './shell-commands.js';

/**
 * The two ways in which a rule is compared with a call.
 *
 * - `allows`: the rule must cover everything that the call does. A command must be one plain command: `*` does not match characters that could begin another
 *   command, or write a file. A path counts as the place that it leads to, and of several paths each must match.
 * - `restrains`, for rules that deny or ask: any part of the call is enough. Each command within a text counts. A path counts both as the place that it leads
 *   to and as its text, and a tool also as the tool that does the same.
 */
export type RuleMode = 'allows' | 'restrains';

/** A call, as rules look at it. */
export interface RuledCall {
  tool: Tool;
  args: unknown;
  /** The paths in its arguments, by the names of those. */
  paths: ReadonlyMap<string, readonly Place[]>;
  /** The commands in it. */
  commands: Commands | undefined;
}

/** A path in the arguments of a call. */
interface Place {
  written: string;
  /** The absolute path with links followed; undefined: it leads nowhere. */
  real: string | undefined;
  /** The absolute path by its text alone. */
  textual: string;
  /** True where the path also stands for everything below it. */
  deep: boolean;
  root: string;
}

/** Reads the paths and the commands out of a call: follows links, and parses commands. */
export async function readCall(tool: Tool, args: unknown): Promise<RuledCall> {
  const paths = new Map<string, readonly Place[]>();
  for (const name of tool.paths?.names ?? []) {
    const value = valueOf(args, name) ?? '.';
    const written = Array.isArray(value) ? value : [value];
    const texts = written.filter((each) => typeof each === 'string');
    paths.set(name, await Promise.all(texts.map((text) => placeOf(text, tool.paths as PathArguments))));
  }
  const command = tool.command === undefined ? undefined : valueOf(args, tool.command);
  return { tool, args, paths, commands: typeof command === 'string' ? commandsIn(command) : undefined };
}

/** The flags of a rule's patterns. Upper and lower case are one to a rule that restrains, as in docker-agent, and two to a rule that allows. */
function flagsOf(reading: RuleMode): string {
  return reading === 'restrains' ? 'iu' : 'u';
}

/** The first of these rules that matches a call. */
export function ruleFor(
  rules: readonly PermissionRule[],
  call: RuledCall,
  reading: RuleMode,
): PermissionRule | undefined {
  const { name, alias, restrictedAs } = call.tool;
  const names = [name, alias, reading === 'restrains' ? restrictedAs : undefined];
  return rules.find((rule) => {
    const pattern = globPattern(rule.tool, flagsOf(reading));
    if (!names.some((each) => each !== undefined && pattern.test(each))) return false;
    return rule.arguments.every((argument) => argumentMatches(argument, call, reading));
  });
}

/** True where a rule that denies or asks is about this path, which is absolute and without links. */
export function restrainsPlace(rules: readonly PermissionRule[], tool: Tool, place: string): boolean {
  return isAbout(rules, tool, place, 'restrains');
}

/** True where a rule that allows is about this path. */
export function allowsPlace(rules: readonly PermissionRule[], tool: Tool, place: string): boolean {
  return isAbout(rules, tool, place, 'allows');
}

function isAbout(rules: readonly PermissionRule[], tool: Tool, place: string, reading: RuleMode): boolean {
  const { paths } = tool;
  if (paths === undefined) return false;
  const { root } = paths;
  const [name = 'path'] = paths.names;
  const found: Place = { written: relative(root, place), real: place, textual: place, deep: false, root };
  const call = { tool, args: {}, paths: new Map([[name, [found]]]), commands: undefined };
  const withArguments = rules.filter((rule) => rule.arguments.length > 0);
  return ruleFor(withArguments, call, reading) !== undefined;
}

type Argument = PermissionRule['arguments'][number];

function argumentMatches({ name, glob }: Argument, call: RuledCall, reading: RuleMode): boolean {
  const { tool, args, paths, commands } = call;
  const places = placesOf(name, call, reading);
  if (places !== undefined) {
    if (reading === 'restrains') return places.some((place) => restrains(glob, place));
    return places.length > 0 && places.every((place) => allows(glob, place));
  }
  if (paths.has(name)) return false;
  const value = valueOf(args, name);
  if (value === undefined) return false;
  if (name === tool.command && typeof value === 'string')
    return reading === 'allows' ? allowsCommand(glob, value) : restrainsCommand(glob, value, commands);
  const pattern = globPattern(glob, flagsOf(reading));
  const list = Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string');
  const texts: readonly string[] = list ? value : [typeof value === 'string' ? value : JSON.stringify(value)];
  if (reading === 'allows' && tool.addresses !== undefined && list)
    return tool.addresses(args).length === texts.length && tool.addresses(args).every(({ href }) => pattern.test(href));
  if (reading === 'allows') return texts.every((text) => spellings(text).every((each) => pattern.test(each)));
  return [...texts.flatMap(spellings), JSON.stringify(value)].some((text) => pattern.test(text));
}

/** The paths that an argument of a rule is about. A rule about `path` is about `paths`, too, and the other way round. */
function placesOf(name: string, { paths }: RuledCall, reading: RuleMode): readonly Place[] | undefined {
  const own = paths.get(name);
  if (own !== undefined || reading === 'allows') return own;
  return name === 'path' || name === 'paths' ? (paths.get('path') ?? paths.get('paths')) : undefined;
}

/** True where a glob allows a path. A path outside of the working directory needs a pattern that names it: `*` alone stands for paths within. */
function allows(glob: string, { real, root }: Place): boolean {
  if (real === undefined) return false;
  if (!isWithin(root, real))
    return patternsOf(glob).some((pattern) => isAbsolute(pattern) && covers(pattern, real, false));
  return patternsOf(glob).some((pattern) => [named(root, real), real].some((text) => covers(pattern, text, false)));
}

function restrains(glob: string, place: Place): boolean {
  const { written, real = place.textual, textual, deep, root } = place;
  const texts = [written, posix.normalize(written), named(root, real), real, named(root, textual), textual];
  return patternsOf(glob).some(
    (pattern) => texts.some((text) => covers(pattern, text, true)) || (deep && holds(real, pattern, root)),
  );
}

/** True where a pattern covers a path: as a text, in which `*` stands for anything, or as a path, in which `**` may stand for no folder. */
function covers(pattern: string, text: string, insensitive: boolean): boolean {
  const [glob, place] = insensitive ? [folded(pattern), folded(text)] : [pattern, text];
  return globPattern(glob).test(place) || matchesPath(place, glob, { dot: true });
}

/** True where a folder contains what a pattern names: what is done to the folder is done to that, too. */
function holds(folder: string, pattern: string, root: string): boolean {
  const [fixed = ''] = /^[^*?[{]*/.exec(pattern) ?? [];
  if (fixed === '') return false;
  const [place, inside] = [folder, resolve(root, fixed)].map(folded);
  return place === inside || (inside ?? '').startsWith(`${place}${sep}`);
}

/** The forms in which a pattern may be written: `./docs/*`, `docs/`, `~/notes/*`. */
function patternsOf(glob: string): string[] {
  const home = glob.startsWith('~/') ? homedir() + glob.slice(1) : undefined;
  const plain = glob.replace(/^(?:\.\/)+/, '');
  return [
    ...new Set([
      glob,
      plain,
      ...(home === undefined ? [] : [home]),
      ...(plain.endsWith('/') ? [plain.slice(0, -1), `${plain}*`] : []),
    ]),
  ];
}

function named(root: string, place: string): string {
  return relative(root, place).split(sep).join('/') || '.';
}

async function placeOf(written: string, { root, place, deep = false }: PathArguments): Promise<Place> {
  const real = await place(written).catch(() => undefined);
  return { written, real, textual: absolute(root, written), deep, root };
}

/** Characters by which a shell text is more than a part of one command. */
const special = /[;&|<>`$(){}\n\r\\]/;
const separators = /[;&|`(){}\n\r]+|\$\(/;

function allowsCommand(glob: string, command: string): boolean {
  // A rule that contains such a character must be equal to the command.
  return (!special.test(command) || command === glob) && globPattern(glob).test(command);
}

function restrainsCommand(glob: string, command: string, commands: Commands | undefined): boolean {
  if (commands?.unclear === true) return true;
  const blanks = (text: string): string => text.trim().replace(/\s+/g, ' ');
  const patterns = [glob, blanks(glob)].map((each) => globPattern(each, flagsOf('restrains')));
  const parts = command.split(separators);
  const texts = [
    command,
    blanks(command),
    ...parts.map((part) => part.trim()),
    ...parts.map(blanks),
    ...(commands?.lines ?? []),
  ];
  return texts.some((text) => patterns.some((pattern) => pattern.test(text)));
}

/** The spellings of a text: itself, and its resolved form where it is a path or an address with `..`: `docs/../x`, `https://host/docs/../x`. */
function spellings(text: string): string[] {
  if (/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(text) && URL.canParse(text)) return [text, ...addressSpellings(new URL(text))];
  if (!/(?:^|[/\\])\.{1,2}(?:[/\\]|$)|\/\//.test(text)) return [text];
  return [text, posix.normalize(text.replaceAll('\\', '/'))];
}

/** The spellings of an address: also without the dot at the end of the host, and without needless escapes. */
function addressSpellings({ href, hostname }: URL): string[] {
  const plain = hostname.endsWith('.') ? href.replace(hostname, hostname.slice(0, -1)) : href;
  const unescaped = plain.replace(/%([2-7][0-9a-f])/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return [...new Set([href, plain, unescaped])];
}

function valueOf(args: unknown, name: string): unknown {
  if (typeof args !== 'object' || args === null || !Object.hasOwn(args, name)) return undefined;
  return Reflect.get(args, name);
}
