// The agent that the tests of all AI SDK providers share: it counts files, and is run in both ways that the SDK has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Output, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import { countFiles, fileCount, loopTurns } from '../conversations.js';
import { sameThreeWays, thrownBy } from '../three-ways.js';
import type { FinishReason, JSONValue, LanguageModel, ToolSet } from 'ai';
import type { Place, Server } from '../three-ways.js';

/** The model is any provider's, and its options are named by it. */
export interface Agent {
  model: LanguageModel;
  instructions?: string;
  tools?: ToolSet;
  providerOptions?: Record<string, object>;
}

const counting: ToolSet = {
  [fileCount.name]: tool({
    description: fileCount.description,
    inputSchema: jsonSchema<{ folder: string; depth: number }>({
      ...fileCount.parameters,
      required: ['folder', 'depth'],
    }),
    execute: async (input) => countFiles(input),
  }),
};

const ask = ({ model, instructions, tools = counting, providerOptions }: Agent) => ({
  model,
  tools,
  ...(instructions === undefined ? {} : { instructions }),
  providerOptions: providerOptions as Record<string, Record<string, JSONValue>>,
  stopWhen: isStepCount(loopTurns + 1),
  maxRetries: 1,
  prompt: 'How many files are there?',
});

/** By the function of the SDK, to the text it came to and what each step has said. */
export const agents = {
  generateText: async (agent: Agent) => {
    const { text, steps } = await generateText(ask(agent));
    return { text, said: steps.map((step) => step.content) };
  },
  streamText: async (agent: Agent) => {
    let failure: unknown;
    const result = streamText({
      ...ask(agent),
      onError: ({ error }) => void (failure ??= error),
    });
    await result.consumeStream();
    if (failure !== undefined) throw failure;
    return { text: await result.text, said: (await result.steps).map((step) => step.content) };
  },
} as const;

/**
 * What is asked of each provider beside its tool loops: structured output, an image in, and ends that are not the usual one. `refused` is what this
 * provider calls a refusal by the model.
 */
export function testAnswers(server: Server, modelOf: (place: Place) => LanguageModel, refused: FinishReason): void {
  test('structured output, streamed and whole', async () => {
    const output = Output.object({
      schema: jsonSchema<{ city: string }>({
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      }),
    });
    const script = { turns: [{ text: '{"city":"Oslo"}' }], after: 'repeat' as const };
    const both = await sameThreeWays({ ...server, script }, async (place) => {
      const asked = { model: modelOf(place), prompt: 'Where?', output };
      return [(await generateText(asked)).output, await streamText(asked).output];
    });
    assert.deepEqual(both, [{ city: 'Oslo' }, { city: 'Oslo' }]);
  });

  test('an image in, part by part of the stream', async () => {
    const script = { turns: [{ reasoning: ['A cat?'], text: 'A cat.' }] };
    const parts = await sameThreeWays({ ...server, script }, async (place) => {
      const all: unknown[] = [];
      const image = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
      const { stream } = streamText({
        model: modelOf(place),
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is it?' },
              { type: 'image', image },
            ],
          },
        ],
      });
      for await (const part of stream) all.push(part.type.startsWith('text') ? part : part.type);
      return all;
    });
    assert.equal(parts.at(-1), 'finish');
  });

  for (const [what, turn, reason] of [
    ['an answer that ends early', { text: 'Half of', incomplete: 'max_output_tokens' }, 'length'],
    ['a refusal by the model', { refusal: 'I do not look at that.' }, refused],
  ] as const)
    test(`${what} comes to the same, streamed and whole`, async () => {
      const script = { turns: [turn], after: 'repeat' as const };
      const [end] = await sameThreeWays({ ...server, script }, async (place) => {
        const asked = { model: modelOf(place), prompt: 'Go on.', maxRetries: 0 };
        const streamed = streamText(asked);
        const said = await streamed.text;
        return [await streamed.finishReason, said, await outcomeOf(generateText(asked))];
      });
      assert.equal(end, reason);
    });

  test('an answer that fails is the same error, streamed and whole', async () => {
    const turn = { text: 'Half', fail: { code: 'server_error', message: 'Broken.', times: 9 } };
    const [streamed] = await sameThreeWays({ ...server, script: { turns: [turn], after: 'repeat' } }, async (place) => {
      const asked = { model: modelOf(place), prompt: 'Go on.', maxRetries: 0 };
      const seen: unknown[] = [];
      for await (const part of streamText({ ...asked, onError: () => {} }).stream)
        if (part.type === 'error') seen.push(part.error);
      return [seen, await outcomeOf(generateText(asked))];
    });
    assert.match(JSON.stringify(streamed), /Broken\./);
  });
}

/** Providers differ in what they make of such an end: one has it as an error, another does not look. */
async function outcomeOf(whole: Promise<{ text: string; finishReason: FinishReason }>): Promise<unknown> {
  try {
    const { text, finishReason } = await whole;
    return { text, finishReason };
  } catch {
    return thrownBy(() => whole);
  }
}
