import { z } from 'zod';
import { configSchema } from './schema.js';

/** The JSON Schema of `gateway.yaml`, for editors. */
export function configJsonSchema(): object {
  return { title: 'turnwire gateway', ...z.toJSONSchema(configSchema, { io: 'input' }) };
}
