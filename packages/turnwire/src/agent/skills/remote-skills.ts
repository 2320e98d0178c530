import { z } from 'zod';
import { causeOf } from '../tools/mcp/failure.js';
import { openHttp } from '../tools/mcp/transports/http.js';
import { parseSkill, type Skill } from './skill-file.js';

/** The most skills of one address that are read. */
const mostSkills = 100;

const index = z.object({
  skills: z.array(z.object({ name: z.string(), description: z.string(), files: z.array(z.string()).default([]) })),
});

/**
 * The skills that an address offers. As in docker-agent, their list is at `/.well-known/skills/index.json`, and the files of a skill are beside it, in a
 * folder of its name.
 *
 * @param warn called for each skill that cannot be read
 * @throws Error that says why there is no list
 */
export async function remoteSkills(address: string, warn: (message: string) => void): Promise<Skill[]> {
  const base = new URL(`${address.replace(/\/+$/, '')}/.well-known/skills/`);
  const http = openHttp();
  const textAt = async (path: string): Promise<string> => {
    const response = await http.fetch(new URL(path, base));
    if (!response.ok) throw new Error(`${new URL(path, base).href} cannot be read (status ${response.status})`);
    return response.text();
  };
  try {
    const { data } = index.safeParse(JSON.parse(await textAt('index.json')));
    if (data === undefined) throw new Error(`${new URL('index.json', base).href} is no list of skills`);
    const found: Skill[] = [];
    for (const { name, description, files } of data.skills.slice(0, mostSkills)) {
      if (!/^[A-Za-z0-9][\w.-]{0,63}$/.test(name)) continue;
      try {
        const texts = new Map<string, string>();
        for (const file of files.filter(isInside)) texts.set(file, await textAt(`${name}/${file}`));
        const text = texts.get('SKILL.md') ?? (await textAt(`${name}/SKILL.md`));
        found.push({ ...parseSkill(text, `${name}/SKILL.md of ${address}`, name), name, description, files: texts });
      } catch (error) {
        warn(`the skill ${name} of ${address} cannot be used: ${causeOf(error)}`);
      }
    }
    return found;
  } catch (error) {
    throw new Error(`there are no skills at ${address}: ${causeOf(error)}`, { cause: error });
  } finally {
    http.close();
  }
}

/** True where a path stays within the folder of its skill, however it is read. */
function isInside(path: string): boolean {
  return /^[\w .-]+(?:\/[\w .-]+)*$/.test(path) && !path.split('/').some((part) => /^\.+$/.test(part));
}
