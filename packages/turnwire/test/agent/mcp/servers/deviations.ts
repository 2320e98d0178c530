// What MCP servers get wrong, one deviation each, and what is expected of a client all the same. Where a row has a source, a server in use does this.

/** One white pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const image = { type: 'input_image', image_url: `data:image/png;base64,${pixel}` };
const object = { type: 'object', properties: {} };

/** An entry of the list of tools, beside its name. */
export interface ToolDeviation {
  entry: Record<string, unknown>;
  /** The parameters that the model is given; or the reason why the tool is left out. */
  expected: { parameters: unknown } | { warning: RegExp };
}

const schema = (inputSchema: unknown): Record<string, unknown> => ({ inputSchema });
const taken = (inputSchema: unknown, parameters: unknown): ToolDeviation => ({
  entry: schema(inputSchema),
  expected: { parameters },
});
const leftOut = (inputSchema: unknown, warning: RegExp): ToolDeviation => ({
  entry: schema(inputSchema),
  expected: { warning },
});
const text = { type: 'string' };
const named = { type: 'object', properties: { a: text }, required: ['a'] };

export const toolDeviations: Readonly<Record<string, ToolDeviation>> = {
  'a wish to run as a task': {
    entry: { execution: { taskSupport: 'required' } },
    expected: { warning: /it runs only as a task, and tasks are not supported$/ },
  },
  'no schema': { entry: {}, expected: { parameters: object } },
  'null everywhere': {
    entry: {
      description: null,
      title: null,
      annotations: null,
      icons: null,
      _meta: null,
      execution: null,
      inputSchema: null,
      outputSchema: null,
    },
    expected: { parameters: object },
  },
  'annotations with null hints': {
    entry: { annotations: { title: null, readOnlyHint: null, destructiveHint: null }, ...schema(object) },
    expected: { parameters: object },
  },
  'annotations that are a list': { entry: { annotations: [], ...schema(object) }, expected: { parameters: object } },
  'icons that are a text': { entry: { icons: 'x.png', ...schema(object) }, expected: { parameters: object } },
  'a description that is a number': { entry: { description: 7, ...schema(object) }, expected: { parameters: object } },
  'an output schema that leads nowhere': {
    entry: { ...schema(object), outputSchema: { type: 'object', properties: { a: { $ref: '#/$defs/Missing' } } } },
    expected: { parameters: object },
  },
  'an output schema of another type': {
    entry: { ...schema(object), outputSchema: { type: 'array', items: { format: 'uint32' } } },
    expected: { parameters: object },
  },
  'an output schema that is a text': {
    entry: { ...schema(object), outputSchema: 'text' },
    expected: { parameters: object },
  },
  'schema: true': taken(true, object),
  'schema: an empty object': taken({}, object),
  'schema: the empty list of PHP': taken([], object),
  'schema: type in a list with null': taken(
    { type: ['object', 'null'], properties: { a: text } },
    {
      type: 'object',
      properties: { a: text },
    },
  ),
  'schema: no type': taken({ properties: { a: text }, required: ['a'] }, named),
  'schema: type null': taken({ type: null, properties: { a: text } }, { type: 'object', properties: { a: text } }),
  'schema: properties null': taken({ type: 'object', properties: null, required: null }, object),
  'schema: properties as a list': taken({ type: 'object', properties: [] }, object),
  'schema: no properties': taken({ type: 'object' }, object),
  'schema: a property of null': taken(
    { type: 'object', properties: { a: null } },
    {
      type: 'object',
      properties: { a: {} },
    },
  ),
  'schema: a property of true': taken(
    { type: 'object', properties: { a: true } },
    {
      type: 'object',
      properties: { a: {} },
    },
  ),
  'schema: null keywords of a property': taken(
    { type: 'object', properties: { a: { type: 'string', description: null, default: null, enum: null } } },
    { type: 'object', properties: { a: { type: 'string', default: null } } },
  ),
  'schema: a reference at the root': taken(
    { $ref: '#/$defs/Args', $defs: { Args: named } },
    {
      ...named,
      $defs: { Args: named },
    },
  ),
  'schema: references at the root, one by another': taken(
    { $ref: '#/definitions/A', definitions: { A: { $ref: '#/definitions/B' }, B: named } },
    { ...named, definitions: { A: { $ref: '#/definitions/B' }, B: named } },
  ),
  'schema: a reference with escapes': taken(
    { type: 'object', properties: { b: { $ref: '#/$defs/a~1b%20c' } }, $defs: { 'a/b c': text } },
    { type: 'object', properties: { b: { $ref: '#/$defs/a~1b%20c' } }, $defs: { 'a/b c': text } },
  ),
  'schema: allOf at the root': taken(
    { allOf: [named, { properties: { b: text }, required: ['b'] }] },
    {
      type: 'object',
      properties: { a: text, b: text },
      required: ['a', 'b'],
    },
  ),
  'schema: the same twice in allOf': taken(
    { allOf: [{ $ref: '#/$defs/A' }, { $ref: '#/$defs/A' }], $defs: { A: named } },
    { ...named, $defs: { A: named } },
  ),
  'schema: anyOf at the root': taken(
    { anyOf: [named, { properties: { a: text, b: text }, required: ['a', 'b'] }, { type: 'null' }] },
    { type: 'object', properties: { a: text, b: text }, required: ['a'] },
  ),
  'schema: oneOf of what is required': taken(
    {
      type: 'object',
      properties: { a: text, b: text },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { type: 'object', properties: { a: text, b: text } },
  ),
  'schema: required as a flag, as in draft 3': taken(
    { type: 'object', properties: { a: { type: 'string', required: true } } },
    { type: 'object', properties: { a: text } },
  ),
  'schema: exclusiveMinimum as a flag, as in draft 4': taken(
    { type: 'object', properties: { a: { type: 'number', minimum: 0, exclusiveMinimum: true } } },
    { type: 'object', properties: { a: { type: 'number', minimum: 0 } } },
  ),
  'schema: a pattern of another language': taken(
    { type: 'object', properties: { a: { type: 'string', pattern: '(?P<x>a)' } } },
    { type: 'object', properties: { a: text } },
  ),
  'schema: a format that nobody knows': taken(
    { type: 'object', properties: { a: { type: 'integer', format: 'uint32' } } },
    { type: 'object', properties: { a: { type: 'integer', format: 'uint32' } } },
  ),
  'schema: properties with the names of keywords': taken(
    { type: 'object', properties: { type: text, required: text, $ref: text, properties: text } },
    { type: 'object', properties: { type: text, required: text, $ref: text, properties: text } },
  ),
  'schema: properties that refer to the root': taken(
    { type: 'object', properties: { child: { $ref: '#' } } },
    { type: 'object', properties: { child: { $ref: '#' } } },
  ),
  'schema: half a character': taken(
    { type: 'object', properties: { a: { type: 'string', description: 'half \ud83d' } } },
    { type: 'object', properties: { a: { type: 'string', description: 'half \ufffd' } } },
  ),
  'schema: false': leftOut(false, /expected a JSON Schema, got false/),
  'schema: a text': leftOut('object', /expected a JSON Schema, got "object"/),
  'schema: a number': leftOut(7, /expected a JSON Schema, got 7/),
  'schema: of type array': leftOut({ type: 'array' }, /no object, but of type "array"/),
  'schema: of type text or number': leftOut(
    { type: ['string', 'number'] },
    /no object, but of type \["string","number"\]/,
  ),
  'schema: of a type that is none': leftOut({ type: 'Object' }, /type: there is no type "Object"/),
  'schema: a property of a type that is none': leftOut(
    { type: 'object', properties: { a: { type: 'str' } } },
    /properties\.a\.type: there is no type "str"/,
  ),
  'schema: a reference that leads nowhere': leftOut(
    { type: 'object', properties: { a: { $ref: '#/$defs/Missing' } } },
    /properties\.a\.\$ref: #\/\$defs\/Missing leads nowhere/,
  ),
  'schema: a reference to elsewhere': leftOut(
    { type: 'object', properties: { a: { $ref: 'https://example.com/schema.json' } } },
    /leads nowhere/,
  ),
  'schema: a reference at the root to itself': leftOut({ $ref: '#' }, /# leads to itself/),
  'schema: references at the root in a circle': leftOut(
    { $ref: '#/$defs/A', $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/A' } } },
    /leads to itself/,
  ),
  'schema: a reference into a part that is merged': leftOut(
    { allOf: [{ properties: { a: text } }], properties: { b: { $ref: '#/allOf/0/properties/a' } } },
    /leads nowhere/,
  ),
  'schema: properties as a text': leftOut({ type: 'object', properties: 'a' }, /properties: expected a mapping/),
  'schema: a property as a text': leftOut(
    { type: 'object', properties: { a: 'string' } },
    /properties\.a: expected a schema/,
  ),
  'schema: a limit as a text': leftOut(
    { type: 'object', properties: { a: { type: 'string', maxLength: '3' } } },
    /maxLength: expected a number/,
  ),
  'schema: anyOf without an object': leftOut({ anyOf: [{ type: 'string' }] }, /no object/),
  'schema: deeper than anything': leftOut(nested(500), /levels deep/),
  'schema: larger than anything': leftOut(
    { type: 'object', properties: {}, description: 'x'.repeat(300_000) },
    /more than 256 KiB/,
  ),
};

function nested(levels: number): unknown {
  let inner: unknown = text;
  for (let level = 0; level < levels; level += 1) inner = { type: 'object', properties: { a: inner } };
  return inner;
}

/** How a call is answered: as a text, with the number of the request. */
export interface AnswerDeviation {
  answer: (id: number) => string;
  /** The output or the error that the model is given. */
  expected: { output: unknown } | { error: RegExp } | { failed: unknown };
}

const said = (fields: unknown) => (id: number) => JSON.stringify({ jsonrpc: '2.0', id, ...(fields as object) });
const result = (given: unknown, output: unknown): AnswerDeviation => ({
  answer: said({ result: given }),
  expected: { output },
});
const content = (parts: unknown, output: unknown): AnswerDeviation => result({ content: parts }, output);
const failing = (given: unknown, error: RegExp): AnswerDeviation => ({ answer: said(given), expected: { error } });
const answered = { type: 'text', text: 'the answer' };
const picture = { type: 'image', data: pixel, mimeType: 'image/png' };

export const answerDeviations: Readonly<Record<string, AnswerDeviation>> = {
  'null everywhere in a result': result(
    { content: [{ ...answered, annotations: null, _meta: null }], structuredContent: null, isError: null, _meta: null },
    'the answer',
  ),
  'a part that is null': content([null, answered], 'the answer'),
  'a part that is a text': content(['the answer'], 'the answer'),
  'a part without a type': content([{ text: 'the answer' }], 'the answer'),
  'a part alone, and not in a list': content(answered, 'the answer'),
  'content that is a text': content('the answer', 'the answer'),
  'content null': content(null, '(no output)'),
  'a text that is null': content([{ type: 'text', text: null }], '[a part of type text is not shown]'),
  'a text that is a number': content([{ type: 'text', text: 42 }], '42'),
  'a text with half a character': content([{ type: 'text', text: 'half \ud83d' }], 'half \ufffd'),
  'annotations that are wrong': content([{ ...answered, annotations: { audience: 'all', priority: 7 } }], 'the answer'),
  'a part of an unknown type behind a text': content(
    [answered, { type: 'html', html: '<b>x</b>' }],
    'the answer\n[a part of type html is not shown]',
  ),
  'a part of an unknown type with a text': content([{ type: 'markdown', text: '*x*' }], '*x*'),
  'a part with the name of something inherited': content(
    [{ type: 'constructor' }],
    '[a part of type constructor is not shown]',
  ),
  'an image': content(
    [answered, { type: 'image', data: pixel, mimeType: 'image/png' }],
    [{ type: 'input_text', text: 'the answer' }, image],
  ),
  'an image of a tool that failed': {
    answer: said({ result: { content: [{ type: 'text', text: 'the page' }, picture], isError: true } }),
    expected: { failed: [{ type: 'input_text', text: 'Error: the page' }, image] },
  },
  'an image alone of a tool that failed': {
    answer: said({ result: { content: [picture], isError: true } }),
    expected: { failed: [{ type: 'input_text', text: 'Error: the tool failed, and shows this:' }, image] },
  },
  'an image as a data URL': content([{ type: 'image', data: `data:image/png;base64,${pixel}` }], [image]),
  'an image of a wrong type': content([{ type: 'image', data: pixel, mimeType: 'image/jpg' }], [image]),
  'an image that is none': content(
    [{ type: 'image', data: 'AAAA', mimeType: 'image/png' }],
    '[the image of type image/png is not shown: it is no PNG, JPEG, GIF or WebP]',
  ),
  'an image without data': content(
    [{ type: 'image', mimeType: 'image/png', data: null }],
    '[a part of type image is not shown]',
  ),
  'an audio': content(
    [{ type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }],
    '[the audio of type audio/wav (3 bytes) is not shown]',
  ),
  'a resource with a text': content(
    [{ type: 'resource', resource: { uri: 'file:///a', mimeType: null, text: 'the answer' } }],
    'the answer',
  ),
  'a resource with a file': content(
    [{ type: 'resource', resource: { uri: 'file:///a.pdf', mimeType: 'application/pdf', blob: 'AAAA' } }],
    '[the resource file:///a.pdf of type application/pdf (3 bytes) is not shown]',
  ),
  'a resource with an image': content(
    [{ type: 'resource', resource: { uri: 'file:///a.png', mimeType: 'image/png', blob: pixel } }],
    [image],
  ),
  'a resource that is null': content([{ type: 'resource', resource: null }], '[a part of type resource is not shown]'),
  'a link': content(
    [{ type: 'resource_link', uri: 'file:///a', name: 'a', title: null, description: 'an a', mimeType: null }],
    'a: file:///a (an a)',
  ),
  'a link without a name': content([{ type: 'resource_link', uri: 'file:///a' }], 'file:///a'),
  'structured content alone': result({ structuredContent: { a: 1 } }, '{"a":1}'),
  'structured content beside no text': result({ content: [{ type: 'text', text: '' }], structuredContent: [1] }, '[1]'),
  'structured content beside a text': result({ content: [answered], structuredContent: { a: 1 } }, 'the answer'),
  'toolResult, as before 2024': result({ toolResult: { a: 1 } }, '{"toolResult":{"a":1}}'),
  'fields that are no content': result({ answer: 42 }, '{"answer":42}'),
  nothing: result({}, '(no output)'),
  'a result that is null': result(null, '(no output)'),
  'a result that is a text': result('the answer', 'the answer'),
  'a result that is a list': result([answered], 'the answer'),
  'a result that is a number': result(42, '42'),
  'the fields of a result beside the id': { answer: said({ content: [answered] }), expected: { output: 'the answer' } },
  'a result beside an error that is null': {
    answer: said({ result: { content: [answered] }, error: null }),
    expected: { output: 'the answer' },
  },
  'an id as a text': {
    answer: (id) => JSON.stringify({ jsonrpc: '2.0', id: String(id), result: { content: [answered] } }),
    expected: { output: 'the answer' },
  },
  'no version of JSON-RPC': {
    answer: (id) => JSON.stringify({ id, result: { content: [answered] } }),
    expected: { output: 'the answer' },
  },
  'fields that JSON-RPC does not have': {
    answer: said({ result: { content: [answered] }, method: null, params: null, time: 1 }),
    expected: { output: 'the answer' },
  },
  'an answer in a list': {
    answer: (id) => `[${said({ result: { content: [answered] } })(id)}]`,
    expected: { output: 'the answer' },
  },
  'numbers that are none in JSON': {
    answer: (id) => `{"jsonrpc":"2.0","id":${id},"result":{"structuredContent":{"a":NaN,"b":-Infinity,"c":"NaN"}}}`,
    expected: { output: '{"a":null,"b":null,"c":"NaN"}' },
  },
  'a tab inside of a text': {
    answer: (id) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"a\tb"}]}}`,
    expected: { output: 'a\tb' },
  },
  'a byte order mark': {
    answer: (id) => `\uFEFF${said({ result: { content: [answered] } })(id)}`,
    expected: { output: 'the answer' },
  },
  'an error result': failing({ result: { content: [answered], isError: true } }, /^the answer$/),
  'an error result without a word': failing(
    { result: { content: [], isError: true } },
    /^the tool failed without a word$/,
  ),
  'an error result with null parts': failing({ result: { content: null, isError: true } }, /without a word/),
  'an error': failing({ error: { code: -32602, message: 'no such thing' } }, /^no such thing$/),
  'an error with its detail apart': failing(
    { error: { code: -32603, message: 'Internal error', data: { reason: 'disk full' } } },
    /^Internal error \(\{"reason":"disk full"\}\)$/,
  ),
  'an error that is a text': failing({ error: 'no such thing' }, /^"?no such thing"?$/),
  'an error without a message': failing({ error: { code: 7 } }, /^\{"code":7\}$/),
  'an error with a code that is a text': failing(
    { error: { code: 'E_NO', message: 'no such thing' } },
    /^no such thing$/,
  ),
  'an error of a tool that speaks of sessions': failing(
    { error: { code: -32602, message: 'browser session not found' } },
    /^browser session not found$/,
  ),
  'an answer with neither': failing(
    {},
    /its answer cannot be read: \{"jsonrpc":"2\.0","id":\d+\}; the call may have had effects$/,
  ),
  'an answer that is cut off': {
    answer: (id) => `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","te`,
    expected: { error: /its answer cannot be read: .*"te; the call may have had effects$/ },
  },
};
