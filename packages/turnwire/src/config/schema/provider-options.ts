import { z } from 'zod';
import { duration, flag, headers, milliseconds, name, whole } from './values.js';

const transports = ['auto', 'websocket', 'sse'] as const;
const transportNames = 'auto, websocket or sse';

/** Upper and lower case are the same, as in docker-agent. An unknown word is refused; docker-agent would silently use SSE (W17). */
const transport = z
  .string(transportNames)
  .transform((value) => value.toLowerCase())
  .pipe(z.enum(transports, transportNames))
  .meta({ examples: [...transports] });

/** The API of the server. turnwire speaks one API, and refuses docker-agent's other one with the reason. */
export const apiType = z.enum(['openai_responses'], 'openai_responses (turnwire speaks no Chat Completions)');

/** The longest silence, which must not be 0: that would end every turn. */
const limit = duration
  .transform(milliseconds)
  .refine((ms) => ms >= 1, 'a duration of at least 1ms, such as 30s or 2m30s')
  .meta({ examples: ['30s', '2m30s'] });

/** `provider_opts` of a model or a provider. docker-agent accepts any key here; turnwire refuses keys that it does not use. */
export const providerOptions = z.strictObject(
  {
    transport: transport
      .optional()
      .describe('How turns travel: auto (a WebSocket, else SSE), websocket or sse. Default: auto.'),
    api_type: apiType.optional().describe('The API to speak: openai_responses, the default and the only one.'),
    api_version: name
      .optional()
      .describe('Azure alone: v1 (the default) or preview. Its v1 API has no dated versions.'),
    http_headers: headers
      .optional()
      .describe('Header fields for each handshake and each POST. Values may name secrets: ${env.NAME}.'),
    service_tier: name.optional().describe('Sent as service_tier: auto, default, flex, priority … Default: not sent.'),
    store: flag
      .optional()
      .describe('Sent as store: whether the provider keeps the responses. Default: not sent, which keeps them.'),
    context_size: whole(1, 'of tokens')
      .optional()
      .describe('The context window of the model in tokens, for compaction. Default: not known.'),
    first_event_timeout: limit
      .optional()
      .describe('The longest wait for the first event of an answer; turnwire alone has this. Default: 5m.'),
    idle_timeout: limit
      .optional()
      .describe('The longest silence between two events; turnwire alone has this. Default: 15m.'),
  },
  'a mapping, such as { transport: websocket }',
);
