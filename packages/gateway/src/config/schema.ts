import { z } from 'zod';

const mebibyte = 1024 * 1024;

const bytes = z.int().min(0);
const milliseconds = z.number().positive();
const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'this is not the name of a header');
const secretName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    'this is not the name of a secret, such as OPENAI_API_KEY: the file holds names, never keys',
  );

const tls = z
  .strictObject({
    cert: z.string().min(1).describe('A file with the certificate chain (PEM).'),
    key: z.string().min(1).describe('A file with the private key (PEM).'),
  })
  .describe('Serve https and wss.');

const listen = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('The address to listen on. Another one than loopback needs principals, or open: true.'),
    port: z.int().min(0).max(65_535).default(4000).describe('0: any free one.'),
    open: z
      .boolean()
      .default(false)
      .describe('Serves an address that others reach without keys of its own: their own keys are passed through.'),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Names by which the gateway may be asked for; "*" allows any.'),
    allowed_origins: z
      .array(z.string().min(1))
      .default([])
      .describe('Origins whose web pages may use the gateway; "*" allows any.'),
    tls: tls.optional(),
  })
  .prefault({})
  .describe('Where clients connect.');

const upstream = z
  .strictObject({
    base_url: z
      .url({ protocol: /^https?$/, error: 'this is not an address such as https://api.openai.com/v1' })
      .describe('The base of the API, with its version.'),
    transport: z
      .enum(['auto', 'websocket', 'sse'])
      .default('auto')
      .describe('auto: a WebSocket, and SSE where there is none.'),
    lanes: z.boolean().default(true).describe('Turns share sockets where the provider has lanes.'),
    max_connections: z
      .int()
      .min(1)
      .default(32)
      .describe('Sockets of one identity at once; the chain that was not used for longest gives its socket up.'),
    socket_idle_ms: milliseconds
      .default(300_000)
      .describe('Without lanes: a socket that no turn has used for so long is closed, and its chain goes in full.'),
    identities: z.int().min(1).default(1000).describe('Combinations of credentials that are remembered at once.'),
    identity_headers: z.array(headerName).default([]).describe('Headers that say who asks, beside those of the API.'),
    headers: z.record(headerName, z.string()).default({}).describe('Sent with every request and every upgrade.'),
    key: secretName
      .optional()
      .describe('The name of the secret with the key for all clients: theirs are then not passed on.'),
    allow_plaintext: z.boolean().default(false).describe('Lets base_url be http: to another machine.'),
    replay: z
      .enum(['never', 'unsent', 'unanswered'])
      .default('unanswered')
      .describe('When a turn may be written to the network for a second time.'),
    dial_ms: milliseconds.default(15_000).describe('Until a connection is open, TLS and upgrade included.'),
    first_event_ms: milliseconds.default(300_000).describe('From a request to its first event.'),
    idle_ms: milliseconds.default(900_000).describe('Between two events: silent reasoning can take many minutes.'),
    queue_ms: milliseconds.default(600_000).describe('For a connection, while all are busy.'),
  })
  .describe('Whose API is served.');

const principal = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'a name has 1 to 64 letters, digits, dots, dashes and underscores')
      .describe('What it is called in logs and metrics.'),
    keys: z
      .array(
        z
          .string()
          .regex(
            /^sha256:[0-9a-f]{64}$/,
            'a key stands here as sha256: and the 64 digits that sha256sum prints for it',
          ),
      )
      .min(1)
      .describe('Hashes of the keys by which it is known.'),
    upstream_key: secretName
      .optional()
      .describe('The name of the secret with its key at the upstream. Default: upstream.key'),
    models: z
      .array(z.string().min(1))
      .optional()
      .describe('The models it may use, by their names at the upstream. Default: all'),
    aliases: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Names for models: what it asks for, and what the upstream is asked for.'),
    concurrent_turns: z.int().min(1).optional().describe('Turns at once.'),
    requests_per_minute: z.int().min(1).optional().describe('Turns that may begin in a minute.'),
    tokens_per_minute: z
      .int()
      .min(1)
      .optional()
      .describe('Tokens that its turns may take in a minute, as the upstream counts them.'),
  })
  .describe('Somebody with keys of this gateway.');

const limits = z
  .strictObject({
    body_bytes: bytes.default(32 * mebibyte).describe('Of a request that is read, when it is decoded.'),
    frame_bytes: bytes.default(32 * mebibyte).describe("Of a message of a client's WebSocket."),
    sockets: z.int().min(1).default(10_000).describe('WebSockets of clients at once.'),
    sockets_per_principal: z.int().min(1).default(2000).describe('WebSockets of one principal at once.'),
    connections: z.int().min(1).default(20_000).describe('TCP connections of clients at once.'),
    upgrades_per_second: z.int().min(1).default(500).describe('New WebSockets in a second.'),
    turns: z.int().min(1).default(5000).describe('Turns at once, of all clients.'),
    lanes: z.int().min(1).default(32).describe('Names of lanes on one WebSocket of a client.'),
    queued_frames: z.int().min(1).default(64).describe('Creates that wait on one WebSocket of a client.'),
    unsent_bytes: bytes
      .default(8 * mebibyte)
      .describe("Of events that a client's WebSocket has not taken; its turns wait meanwhile."),
    chain_bytes: bytes.default(64 * mebibyte).describe('For what is remembered of histories, all identities together.'),
    head_ms: milliseconds.default(15_000).describe('Until the head of a request has come.'),
    request_ms: milliseconds.default(300_000).describe('Until a request has come whole.'),
  })
  .prefault({});

const restore = z
  .union([
    z.literal('off'),
    z.strictObject({
      max_bytes: bytes.default(32 * mebibyte).describe('Of all histories together.'),
      principal_bytes: bytes.optional().describe('Of those of one principal. Default: a quarter of max_bytes'),
    }),
  ])
  .prefault({})
  .describe('What is held so that a chain can be sent in full when the upstream has lost it; off: nothing.');

const admin = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('The address of the page. Another one than loopback needs admin.open: true.'),
    port: z.int().min(0).max(65_535).default(4040).describe('0: any free one.'),
    open: z.boolean().default(false).describe('Shows the page at an address that others reach. It asks for no key.'),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Names by which the page may be asked for; "*" allows any.'),
  })
  .describe('A page that shows what is saved.');

const cluster = z
  .strictObject({
    redis: z
      .url({ protocol: /^rediss?$/, error: 'this is not an address such as rediss://redis.example:6379' })
      .optional()
      .describe('The address of one Redis; its number of a database may follow, as in rediss://redis.example:6379/1'),
    sentinel: z
      .strictObject({
        master: z.string().min(1).describe('The name by which Sentinel knows the master.'),
        nodes: z
          .array(z.string().regex(/^[^\s:/@]+:\d{1,5}$/, 'a sentinel is written as host:port'))
          .min(1)
          .describe('Sentinels, as host:port.'),
        tls: z.boolean().default(true).describe('Sentinels and servers are reached over TLS.'),
      })
      .optional()
      .describe('In place of redis: the master that Sentinel names.'),
    username: z.string().min(1).optional().describe('The name of a user of Redis.'),
    password: secretName.optional().describe('The name of the secret with the password of Redis.'),
    secret: secretName.describe(
      'The name of the secret that all gateways of this deployment share, of 32 characters at least.',
    ),
    address: z
      .url({ protocol: /^https?$/, error: 'this is not an address such as http://10.0.0.7:4000' })
      .optional()
      .describe('Where the other gateways reach this one. Without it no turn is handed over to it.'),
    node: z
      .string()
      .regex(/^[\w-]{1,32}$/, 'a node is named by 1 to 32 letters, digits, dashes and underscores')
      .default('node')
      .describe('What a balancer calls this node: sticky tokens begin with it.'),
    deadline_ms: milliseconds
      .default(50)
      .describe('Until a question to Redis is given up; after three in a row none is asked for a while.'),
    allow_plaintext: z
      .boolean()
      .default(false)
      .describe('Lets redis and address be without TLS on other machines: in a network that nobody else reads.'),
  })
  .describe('What several gateways share, through Redis.');

/** The one definition of `gateway.yaml`: its types and the JSON Schema for editors are made of it. */
export const configSchema = z.strictObject({
  listen,
  upstream,
  admin: admin.optional(),
  principals: z
    .array(principal)
    .min(1)
    .optional()
    .describe('Who may use the gateway. Without it, the keys of clients are passed through.'),
  paths: z
    .array(z.string().regex(/^\/[\w./-]+$/, 'a path begins with "/", as in /files'))
    .default([])
    .describe('Paths that are served besides, where there are principals; all below them too.'),
  restore,
  limits,
  cluster: cluster.optional(),
  keepalive_ms: milliseconds
    .default(15_000)
    .describe('A silence after which an event stream gets a comment, and a WebSocket a ping.'),
  drain_ms: z.number().min(0).default(30_000).describe('How long running turns have after SIGTERM.'),
  log: z
    .enum(['turns', 'off'])
    .default('turns')
    .describe('turns: one JSON line for each turn, without contents and keys.'),
  metrics: z
    .enum(['local', 'open', 'off'])
    .default('local')
    .describe('Who may read /metrics: programs of this machine, anybody, nobody.'),
});

/** The configuration as a user writes it. */
export type ConfigInput = z.input<typeof configSchema>;
/** The configuration after its check, with every default filled in. */
export type Config = z.output<typeof configSchema>;
export type UpstreamConfig = Config['upstream'];
export type AdminConfig = NonNullable<Config['admin']>;
export type PrincipalConfig = NonNullable<Config['principals']>[number];
export type Limits = Config['limits'];
export type ClusterConfig = NonNullable<Config['cluster']>;
