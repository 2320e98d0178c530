import { answerDeviations, toolDeviations } from './deviations.js';
import { called, commonAnswer, type Sent, tool } from './raw-server.js';

const tools = [
  null,
  'a tool',
  {},
  { name: null },
  { name: '' },
  tool('good'),
  ...Object.entries(toolDeviations).map(([name, { entry }]) => ({ name, ...entry })),
  ...Object.keys(answerDeviations).map((name) => tool(name)),
  tool('good', { description: 'the same name again' }),
];

/** The answers of the server that commits every deviation. */
export function deviatingAnswer(message: Sent): string | undefined {
  if (message.method !== 'tools/call') return commonAnswer(message, tools);
  const { id = 0, params } = message;
  const deviation = Object.hasOwn(answerDeviations, params?.name ?? '')
    ? answerDeviations[params?.name ?? '']
    : undefined;
  return deviation === undefined ? called(message) : deviation.answer(id);
}
