import { findModel, type Model, type Models } from './models/model.js';
import { type Problem, show } from './file/problem.js';
import type { SkillsDefinition } from './schema/agents/skills.js';
import type { Path, YamlFile } from './file/yaml-file.js';

/** The skills of an agent: those found on the disk, and those written in the file. */
export interface Skills {
  /** True where SKILL.md files are looked for. */
  found: boolean;
  /** The names of the skills to offer. undefined: all that are found. */
  names: readonly string[] | undefined;
  inline: readonly InlineSkill[];
  /** Addresses of servers that offer more skills. */
  addresses: readonly string[];
}

export interface InlineSkill {
  name: string;
  description: string;
  instructions: string;
  /** True where the skill is followed in a conversation of its own. */
  fork: boolean;
  model: Model | undefined;
  allowedTools: readonly string[];
}

/** Reads `skills` of an agent, and the skills that it takes from the top of the file. */
export function readSkills(
  file: YamlFile,
  parts: readonly { written: SkillsDefinition; path: Path }[],
  models: Models,
  problems: Problem[],
): Skills {
  const inline: InlineSkill[] = [];
  const names: string[] = [];
  const addresses: string[] = [];
  let all = false;
  let local = false;
  for (const { written, path } of parts) {
    if (typeof written === 'boolean') {
      all ||= written;
      continue;
    }
    const before = names.length;
    let named = false;
    for (const [index, item] of written.entries()) {
      const at = [...path, index];
      if (typeof item !== 'string') {
        const { context, allowed_tools: allowedTools = [], model, ...skill } = item;
        const read = model === undefined ? undefined : findModel(file, model, [...at, 'model'], models);
        if (read !== undefined && 'problem' in read) problems.push(read.problem);
        if (model !== undefined && context === undefined)
          problems.push(file.problem('"model" is for a skill with "context: fork"; add that', [...at, 'model']));
        const found = read !== undefined && 'model' in read ? read.model : undefined;
        inline.push({ ...skill, fork: context === 'fork', model: found, allowedTools });
      } else if (/^https?:\/\//.test(item)) {
        const { protocol, hostname } = URL.canParse(item) ? new URL(item) : { protocol: '', hostname: '' };
        if (protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1') addresses.push(item);
        else problems.push(file.problem(`skills come from an https:// address, not from ${show(item)}`, at));
      } else if (item === 'local') {
        named = true;
      } else {
        names.push(item);
      }
    }
    // Names restrict the search to those skills; `local` without names finds all.
    if (named && names.length === before) all = true;
    local ||= named || names.length > before;
  }
  return { found: all || local, names: all ? undefined : names, inline, addresses };
}
