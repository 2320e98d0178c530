import type { Agent } from '../../dist/config/config.js';

/** An agent as an agent file would give it. */
export const agent: Agent = {
  name: 'root',
  model: {
    name: 'scripted',
    provider: 'emulator',
    model: 'scripted',
    baseUrl: undefined,
    tokenKey: undefined,
    temperature: undefined,
    maxTokens: undefined,
    transport: 'auto',
    path: [],
  },
  instruction: 'You look after files.',
  toolsets: [{ type: 'filesystem' }, { type: 'shell' }],
};
