import { z } from 'zod';
import { scriptSchema } from './script.js';

/**
 * A JSON Schema of scripts for editors, made from the schema that checks them. It cannot express rules about several fields (an entry without
 * content, two ends of one turn), which only the emulator checks.
 */
export function scriptJsonSchema(): object {
  return {
    ...z.toJSONSchema(scriptSchema, { io: 'input', unrepresentable: 'any', reused: 'ref' }),
    title: 'A script of the turnwire emulator',
  };
}
