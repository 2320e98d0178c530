import { z } from 'zod';
import { fileSchema } from './schema/file.js';

/**
 * A JSON Schema of agent files, for editors, from the definition that checks them. It says less than that one: names that have to exist,
 * and what depends on several keys at once, only turnwire finds.
 */
export function agentJsonSchema(): object {
  return {
    ...z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }),
    title: 'An agent file of turnwire, in the format of docker-agent',
  };
}
