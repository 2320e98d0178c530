import { z } from 'zod';
import type { Toolset } from '../../../config/toolset.js';
import type { Variables } from '../commands/command.js';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { openInBrowser } from './browser.js';

/** Opens the address that the agent file names; the model cannot choose another. */
export function openUrlToolset(
  { url, name = 'open_url' }: Extract<Toolset, { type: 'open_url' }>,
  { env }: { env: Variables },
): OpenToolset {
  const { href } = new URL(url);
  return {
    tools: [
      {
        ...defineTool({
          name,
          description: `Opens ${href} in the browser of the user.`,
          readOnly: false,
          input: z.object({}),
          async run() {
            await openInBrowser(href, env);
            return `Opened ${href}.`;
          },
        }),
        detail: `the browser, at ${href}`,
      },
    ],
  };
}
