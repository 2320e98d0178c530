/** The commands of turnwire itself in a conversation, with their usage and their description. */
export const ownCommands = {
  new: { usage: '/new', what: 'begin a new conversation' },
  clear: { usage: '/clear', what: 'the same, on an empty screen' },
  sessions: { usage: '/sessions [ID]', what: 'list earlier conversations, or go on with one' },
  title: { usage: '/title [TEXT]', what: 'say or change what this conversation is called' },
  undo: { usage: '/undo', what: 'take back the last prompt and its answer; what tools did stays done' },
  compact: { usage: '/compact', what: 'sum the conversation up, to make room' },
  attach: { usage: '/attach FILE', what: 'send a picture or a text with the next prompt' },
  model: { usage: '/model [NAME]', what: 'list the models, or go on with another one' },
  effort: { usage: '/effort [LEVEL]', what: 'say or change how much the model thinks' },
  transport: { usage: '/transport [auto|websocket|sse]', what: 'say or change how the model is reached' },
  tools: { usage: '/tools', what: 'list what the agent can call' },
  yolo: { usage: '/yolo', what: 'run all tools without asking, or ask again' },
  cost: { usage: '/cost', what: 'what the conversation has used up' },
  usage: { usage: '/usage', what: 'what the last run came to' },
  help: { usage: '/help', what: 'this list' },
  exit: { usage: '/exit', what: 'leave; also /quit and /q' },
} as const;

export type OwnCommand = keyof typeof ownCommands;

const aliases: Readonly<Record<string, OwnCommand>> = { q: 'exit', quit: 'exit' };

/** undefined for a name that is none of these commands. */
export function ownCommand(name: string): OwnCommand | undefined {
  if (Object.hasOwn(ownCommands, name)) return name as OwnCommand;
  return Object.hasOwn(aliases, name) ? aliases[name] : undefined;
}
