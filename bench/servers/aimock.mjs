import { LLMock } from '@copilotkit/aimock';

/** Answers everything with a text, one word a delta as the emulator cuts it; resolves with its base URL. */
export async function start({ text, everyMs }) {
  const mock = new LLMock({ port: 0, chunkSize: 6, latency: everyMs });
  mock.onMessage(/./, { content: text });
  await mock.start();
  return `${mock.url}/v1`;
}
