#!/usr/bin/env bash
# @openai/agents 0.20.0, ai 7.0.173 and @langchain/mcp-adapters 1.1.4: what an MCP tool returns as structured content alone is an empty output to the model.
#
# A result has `content`, for the model, and may have `structuredContent`; by the specification (2025-06-18 and later) a server SHOULD repeat the second in the
# first, so one that does not is a server like others. All three hand the model the content alone. A tool that has failed and says why in structured
# content is a tool that went well and found nothing. LangChain leaves out embedded resources too: a file that was read arrives as no text at all.
#
# Seen (Node 20), the function_call_output that the server of the model is sent:
#   structured content: agents "[]", ai [], langchain []
#   isError, structured content: agents "[]", ai [], langchain "ToolException: MCP tool 'pay' on server 's' returned an error: \n Please fix your mistakes."
#   an embedded resource: agents has its text, ai has its text, langchain []
#   text: agents has its text, ai has its text, langchain has its text
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
timeout 300 npm install --no-audit --no-fund --loglevel=error openai@7.59.0 @openai/agents@0.20.0 ai@7.0.173 @ai-sdk/openai@4.0.118 @ai-sdk/mcp@2.0.99 \
  langchain@1.5.14 @langchain/core@1.4.0 @langchain/openai@1.6.0 @langchain/langgraph@1.7.3 @langchain/mcp-adapters@1.1.4 \
  @modelcontextprotocol/sdk@1.32.2 zod@4.6.7 >/dev/null
cat >server.mjs <<'JS'
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const results = {
  'structured content': { content: [], structuredContent: { left: 'the-words' } },
  'isError, structured content': { isError: true, content: [], structuredContent: { reason: 'the-words' } },
  'an embedded resource': { content: [{ type: 'resource', resource: { uri: 'file:///a.txt', mimeType: 'text/plain', text: 'the-words' } }] },
  text: { content: [{ type: 'text', text: 'the-words' }] },
};
const server = new Server({ name: 's', version: '1' }, { capabilities: { tools: {} } });
const inputSchema = { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] };
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: 'pay', description: 'Pays.', inputSchema }] }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => results[params.arguments.what]);
await server.connect(new StdioServerTransport());
JS
cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { createMCPClient } from '@ai-sdk/mcp';
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio';
import { createOpenAI } from '@ai-sdk/openai';
import { loadMcpTools } from '@langchain/mcp-adapters';
import { ChatOpenAI } from '@langchain/openai';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { Agent, MCPServerStdio, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
import { generateText, isStepCount } from 'ai';
import { createAgent } from 'langchain';
import OpenAI from 'openai';

const usage = {
  input_tokens: 3,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 2,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 5,
};
const base = { id: 'resp_1', object: 'response', created_at: 1, status: 'completed', model: 'm', error: null, incomplete_details: null, usage };
const part = { type: 'output_text', text: 'Done.', annotations: [], logprobs: [] };
const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [part] };
let what;
let told;
const server = createServer((request, answer) => {
  let body = '';
  request.on('data', (data) => (body += data)).on('end', () => {
    const { input } = JSON.parse(body);
    const result = Array.isArray(input) ? input.find(({ type }) => type === 'function_call_output') : undefined;
    if (result !== undefined) told = JSON.stringify(result.output);
    const call = { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'pay', arguments: JSON.stringify({ what }), status: 'completed' };
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.end(JSON.stringify({ ...base, output: [result === undefined ? call : message] }));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const settings = { apiKey: 'k', baseURL: `http://127.0.0.1:${server.address().port}/v1` };
const stdio = { command: process.execPath, args: ['server.mjs'] };

setTracingDisabled(true);
setDefaultOpenAIClient(new OpenAI(settings));
const mcpServer = new MCPServerStdio({ name: 's', ...stdio });
await mcpServer.connect();
const agent = new Agent({ name: 'a', model: 'm', mcpServers: [mcpServer] });

const mcp = await createMCPClient({ transport: new Experimental_StdioMCPTransport(stdio) });
const tools = await mcp.tools();
const aiModel = createOpenAI(settings)('m');

const client = new Client({ name: 'c', version: '1' });
await client.connect(new StdioClientTransport(stdio));
const model = new ChatOpenAI({ model: 'm', apiKey: 'k', useResponsesApi: true, configuration: { baseURL: settings.baseURL } });
const chain = createAgent({ model, tools: await loadMcpTools('s', client) });

const clients = {
  agents: () => run(agent, 'Pay.'),
  ai: () => generateText({ model: aiModel, prompt: 'Pay.', tools, stopWhen: isStepCount(2) }),
  langchain: () => chain.invoke({ messages: [{ role: 'user', content: 'Pay.' }] }),
};
for (what of ['structured content', 'isError, structured content', 'an embedded resource', 'text']) {
  const seen = [];
  for (const [name, ask] of Object.entries(clients)) {
    told = 'was told nothing';
    await ask();
    seen.push(`${name} ${told.includes('the-words') ? 'has its text' : told}`);
  }
  console.log(`${what}: ${seen.join(', ')}`);
}
process.exit(0);
JS
timeout 90 node run.mjs 2>/dev/null | tee out
diff out - <<'EOT' || { echo 'This has changed: compare with what the head of this file says.'; exit 1; }
structured content: agents "[]", ai [], langchain []
isError, structured content: agents "[]", ai [], langchain "ToolException: MCP tool 'pay' on server 's' returned an error: \n Please fix your mistakes."
an embedded resource: agents has its text, ai has its text, langchain []
text: agents has its text, ai has its text, langchain has its text
EOT
