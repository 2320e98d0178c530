import { z } from 'zod';
import { scriptSchema } from './script.js';

/**
 * A JSON Schema of scripts, for editors, from the definition that checks them. It says less than that one: what depends on
 * several fields at once (an entry that says nothing, two endings) only the emulator finds.
 */
export function scriptJsonSchema(): object {
  return {
    ...z.toJSONSchema(scriptSchema, { io: 'input', unrepresentable: 'any', reused: 'ref' }),
    title: 'A script of the turnwire emulator',
  };
}
