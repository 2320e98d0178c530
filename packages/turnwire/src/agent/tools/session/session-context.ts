import { z } from 'zod';
import { SessionFolder } from '../../sessions/session-folder.js';
import { defineTool } from '../tool.js';
import type { OpenToolset } from '../toolset.js';
import { callerIn } from './background-agents.js';

/** The longest text of a session that is returned, in characters: its end. */
const longestTranscript = 100_000;
const mostSessions = 50;

/**
 * Reads earlier sessions.
 *
 * @param folder the folder of sessions; undefined: sessions are not kept
 */
export function sessionContextToolset(folder: string | undefined): OpenToolset {
  if (folder === undefined) throw new Error('no sessions are kept here; set TURNWIRE_HOME to a folder');
  const sessions = new SessionFolder(folder);
  return {
    tools: [
      defineTool({
        name: 'list_sessions',
        description: 'Lists earlier sessions, the newest first, a line each: id, date, agent, title or first words.',
        readOnly: true,
        revealing: true,
        input: z.object({ count: z.int().min(1).max(mostSessions).default(20).describe('How many.') }),
        run({ count }, context) {
          const found = sessions
            .list(() => undefined)
            .filter(({ id }) => id !== callerIn(context).sessionId)
            .slice(0, count);
          const lines = found.map(
            ({ id, changed, agent, title, prompt }) =>
              `${id} ${changed.slice(0, 10)} ${agent}: ${(title ?? prompt).replace(/\s+/g, ' ').slice(0, 200)}`,
          );
          return Promise.resolve(lines.join('\n') || 'There are no earlier sessions.');
        },
      }),
      defineTool({
        name: 'read_session',
        description:
          'Returns what was said in an earlier session, by its id, or by how many sessions ago it was: -1 for the last one. Of a long one it is the end.',
        readOnly: true,
        revealing: true,
        input: z.object({ session_id: z.string().describe('The id, or -1, -2 and so on.') }),
        run({ session_id: reference }, context) {
          const lines = sessions.transcript(reference, callerIn(context).sessionId);
          const text = lines.join('\n\n');
          return Promise.resolve(
            text.length <= longestTranscript ? text : `[the beginning is left out]\n${text.slice(-longestTranscript)}`,
          );
        },
      }),
    ],
  };
}
