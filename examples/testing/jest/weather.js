/**
 * What is tested: asks a model about the weather, and gives it a tool to find out.
 *
 * @param {import('openai').OpenAI} client
 * @param {string} city
 * @param {(city: string) => string} lookUp
 */
async function weatherIn(client, city, lookUp) {
  const request = {
    model: 'gpt-5.4',
    tools: [
      {
        type: 'function',
        name: 'weather',
        strict: true,
        parameters: {
          type: 'object',
          properties: { city: { type: 'string' } },
          required: ['city'],
          additionalProperties: false,
        },
      },
    ],
  };
  let response = await client.responses.create({ ...request, input: `How is the weather in ${city}?` });
  for (let turn = 0; turn < 5; turn += 1) {
    const calls = response.output.filter((item) => item.type === 'function_call');
    if (calls.length === 0) return response.output_text;
    const input = calls.map((call) => ({
      type: 'function_call_output',
      call_id: call.call_id,
      output: lookUp(JSON.parse(call.arguments).city),
    }));
    response = await client.responses.create({ ...request, input, previous_response_id: response.id });
  }
  throw new Error('The model asks for the weather again and again.');
}

module.exports = { weatherIn };
