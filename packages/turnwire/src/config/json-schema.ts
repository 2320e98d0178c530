import { z } from 'zod';
import { fileSchema } from './schema/file.js';

/** The JSON Schema of agent files, for editors. It cannot express all checks: only turnwire finds names that do not exist, and rules over several keys. */
export function agentJsonSchema(): object {
  return {
    ...z.toJSONSchema(fileSchema, { io: 'input', unrepresentable: 'any' }),
    title: 'An agent file of turnwire, in the format of docker-agent',
  };
}
