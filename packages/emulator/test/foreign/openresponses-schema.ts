import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sharedFolder, type Json } from '../wire.js';

/** Validators made of the OpenResponses document, a definition of events and bodies that this project has not written. */
export interface OpenResponsesSchema {
  /** What is wrong with an event; undefined if it is valid or of a type that the document does not know. */
  event(event: Json): string | undefined;
  setContext(type: string): boolean;
  /** What is wrong with a value of a named schema. */
  problem(name: string, value: unknown): string | undefined;
}

/** The validators; undefined if the document is not beside the repository. */
export function openResponsesSchema(): OpenResponsesSchema | undefined {
  const folder = sharedFolder('schema');
  if (folder === undefined) return undefined;
  const text = readFileSync(join(folder, 'openresponses.openapi.json'), 'utf8');
  const document: Json = JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/'));
  const definitions: Json = document.components.schemas;
  const validator = (name: string) => z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: definitions });
  const events = new Map<string, z.ZodType>();
  for (const name of Object.keys(definitions)) {
    const [type] = definitions[name].properties?.type?.enum ?? [];
    if (name.endsWith('StreamingEvent')) events.set(type, validator(name));
  }
  const problemOf = (schema: z.ZodType | undefined, value: unknown) => {
    const checked = schema?.safeParse(value);
    return checked === undefined || checked.success ? undefined : JSON.stringify(checked.error.issues);
  };
  return {
    event: (event) => problemOf(events.get(event['type']), event),
    setContext: (type) => events.has(type),
    problem: (name, value) => problemOf(validator(name), value),
  };
}
