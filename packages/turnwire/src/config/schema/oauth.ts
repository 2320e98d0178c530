import { z } from 'zod';
import { name, texts } from './values.js';

/** The text in `callbackRedirectURL` that stands for the port of the callback. */
export const portPlaceholder = '${callbackPort}';

/** `oauth` of a remote MCP server, in the spelling of docker-agent. */
export const oauthSchema = z.strictObject(
  {
    clientId: name.describe('The client that was registered with the provider.'),
    clientSecret: name.optional().describe('The client’s secret; may name a variable: ${env.NAME}. Default: none.'),
    callbackPort: z
      .int('a port, 1 to 65535')
      .min(1, 'a port, 1 to 65535')
      .max(65_535, 'a port, 1 to 65535')
      .optional()
      .describe('The port of this machine that the browser comes back to. Default: a free one.'),
    callbackRedirectURL: z
      .string('an address')
      .refine((value) => isRedirect(value), 'an https:// address, or an http:// address of this machine')
      .optional()
      .describe(
        `The address that the provider sends the browser to, where it is not this machine: it has to send it on to http://127.0.0.1:PORT/callback. ${portPlaceholder} stands for the port.`,
      ),
    scopes: texts.optional().describe('The scopes of the sign-in. Default: those that the server asks for.'),
  },
  'a mapping with "clientId"',
);

export type OAuthDefinition = z.output<typeof oauthSchema>;

function isRedirect(value: string): boolean {
  const url = value.replaceAll(portPlaceholder, '1');
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}
