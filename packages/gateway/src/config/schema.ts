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
      .describe('The address to listen on. An address other than loopback needs principals, or open: true.'),
    port: z.int().min(0).max(65_535).default(4000).describe('0: any free one.'),
    open: z
      .boolean()
      .default(false)
      .describe('Allows an address other than loopback without principals: the keys of clients are passed through.'),
    allowed_hosts: z.array(z.string().min(1)).default([]).describe('Host names that requests may use; "*" allows any.'),
    allowed_origins: z
      .array(z.string().min(1))
      .default([])
      .describe('Origins whose web pages may use the gateway; "*" allows any.'),
    tls: tls.optional(),
  })
  .prefault({})
  .describe('The listener for clients.');

const upstream = z
  .strictObject({
    base_url: z
      .url({ protocol: /^https?$/, error: 'this is not an address such as https://api.openai.com/v1' })
      .describe('The base of the API, with its version.'),
    transport: z
      .enum(['auto', 'websocket', 'sse'])
      .default('auto')
      .describe('auto: a WebSocket, and SSE where the upstream has none.'),
    lanes: z.boolean().default(true).describe('Turns share sockets where the provider has lanes.'),
    max_connections: z
      .int()
      .min(1)
      .default(32)
      .describe('The most sockets of one identity; the least recently used chain gives up its socket first.'),
    socket_idle_ms: milliseconds
      .default(300_000)
      .describe('Without lanes: the idle time after which a socket is closed; its chain is then sent in full.'),
    identities: z.int().min(1).default(1000).describe('The most combinations of credentials that are remembered.'),
    identity_headers: z
      .array(headerName)
      .default([])
      .describe('Headers that identify a client, besides those of the API.'),
    headers: z
      .record(headerName, z.string())
      .default({})
      .describe('Headers that are sent with every request and every upgrade.'),
    key: secretName
      .optional()
      .describe('The name of the secret with the key for all clients. The keys of clients are then not passed on.'),
    allow_plaintext: z.boolean().default(false).describe('Allows http: in base_url for another machine.'),
    replay: z
      .enum(['never', 'unsent', 'unanswered'])
      .default('unanswered')
      .describe('When a turn may be written to the network for a second time.'),
    dial_ms: milliseconds.default(15_000).describe('The longest opening of a connection, TLS and upgrade included.'),
    first_event_ms: milliseconds.default(300_000).describe('The longest wait for the first event of a turn.'),
    idle_ms: milliseconds
      .default(900_000)
      .describe('The longest wait between two events: silent reasoning can take many minutes.'),
    queue_ms: milliseconds.default(600_000).describe('The longest wait for a connection while all are busy.'),
  })
  .describe('The server whose API is served.');

const principal = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/, 'a name has 1 to 64 letters, digits, dots, dashes and underscores')
      .describe('The name in logs and metrics.'),
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
      .describe('Hashes of the keys that the principal may send.'),
    upstream_key: secretName
      .optional()
      .describe('The name of the secret with the principal’s key for the upstream. Default: upstream.key'),
    models: z
      .array(z.string().min(1))
      .optional()
      .describe('The models that the principal may use, by their names at the upstream. Default: all'),
    aliases: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Names of models: the principal sends the key, and the upstream is sent the value.'),
    concurrent_turns: z.int().min(1).optional().describe('The most turns at once.'),
    requests_per_minute: z.int().min(1).optional().describe('The most turns that may begin in a minute.'),
    tokens_per_minute: z
      .int()
      .min(1)
      .optional()
      .describe('The most tokens of all turns in a minute, as the upstream counts them.'),
  })
  .describe('A client with keys of this gateway.');

const limits = z
  .strictObject({
    body_bytes: bytes.default(32 * mebibyte).describe('The largest request body, after decoding.'),
    frame_bytes: bytes.default(32 * mebibyte).describe("The largest message on a client's WebSocket."),
    sockets: z.int().min(1).default(10_000).describe('The most WebSockets of clients.'),
    sockets_per_principal: z.int().min(1).default(2000).describe('The most WebSockets of one principal.'),
    connections: z.int().min(1).default(20_000).describe('The most TCP connections of clients.'),
    upgrades_per_second: z.int().min(1).default(500).describe('The most new WebSockets in a second.'),
    turns: z.int().min(1).default(5000).describe('The most turns at once, over all clients.'),
    lanes: z.int().min(1).default(32).describe('The most named lanes on one WebSocket of a client.'),
    queued_frames: z.int().min(1).default(64).describe('The most waiting creates on one WebSocket of a client.'),
    unsent_bytes: bytes
      .default(8 * mebibyte)
      .describe('The most bytes of events that a client has not read; its turns wait then.'),
    chain_bytes: bytes
      .default(64 * mebibyte)
      .describe('The memory for finding continued histories, over all identities.'),
    head_ms: milliseconds
      .default(15_000)
      .describe('The longest wait for the head of a request, and for a handshake of TLS.'),
    request_ms: milliseconds.default(300_000).describe('The longest wait for a whole request.'),
  })
  .prefault({});

const restore = z
  .union([
    z.literal('off'),
    z.strictObject({
      max_bytes: bytes.default(32 * mebibyte).describe('The memory for all histories.'),
      principal_bytes: bytes
        .optional()
        .describe('The memory for the histories of one principal. Default: a quarter of max_bytes'),
    }),
  ])
  .prefault({})
  .describe('Histories that are kept so that a chain can be sent in full when the upstream has lost it; off: none.');

const admin = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('The address of the page. An address other than loopback needs admin.open: true.'),
    port: z.int().min(0).max(65_535).default(4040).describe('0: any free one.'),
    open: z.boolean().default(false).describe('Allows an address other than loopback. The page asks for no key.'),
    allowed_hosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Host names that requests for the page may use; "*" allows any.'),
  })
  .describe('A page that shows the savings.');

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

          .array(
            z
              .string()
              .regex(/^[^\s:/@]+:\d{1,5}$/, 'a sentinel is written as host:port')
              .refine(
                (node) => Number(/\d+$/.exec(node)?.[0]) <= 65_535,
                'a sentinel is written as host:port, of a port up to 65535',
              ),
          )
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
      .describe(
        'The address at which the other gateways reach this one. Without it, no turn is handed over to this gateway.',
      ),
    node: z
      .string()
      .regex(/^[\w-]{1,32}$/, 'a node is named by 1 to 32 letters, digits, dashes and underscores')
      .default('node')
      .describe('The balancer’s name of this node, with which sticky tokens begin.'),
    deadline_ms: milliseconds
      .default(50)
      .describe('The longest wait for Redis. After three such waits in a row, Redis is left alone for a while.'),
    allow_plaintext: z
      .boolean()
      .default(false)
      .describe('Allows redis and address without TLS on other machines, for a network that nobody else can read.'),
  })
  .describe('Settings of a gateway that shares chains and limits with others through Redis.');

/** The one definition of `gateway.yaml`: its types and the JSON Schema for editors are made of it. */
export const configSchema = z.strictObject({
  listen,
  upstream,
  admin: admin.optional(),
  principals: z
    .array(principal)
    .min(1)
    .optional()
    .describe('The clients of the gateway. Without this list, the keys of clients are passed through.'),
  paths: z
    .array(z.string().regex(/^\/[\w./-]+$/, 'a path begins with "/", as in /files'))
    .default([])
    .describe('Further paths that principals may use, with everything below them.'),
  restore,
  limits,
  cluster: cluster.optional(),
  keepalive_ms: milliseconds
    .default(15_000)
    .describe('The silence after which an event stream gets a comment, and a WebSocket a ping.'),
  drain_ms: z.number().min(0).default(30_000).describe('The time that running turns have after SIGTERM.'),
  log: z
    .enum(['turns', 'off'])
    .default('turns')
    .describe('turns: one JSON line for each turn, without contents and keys.'),
  metrics: z
    .enum(['local', 'open', 'off'])
    .default('local')
    .describe('Who may read /metrics: local (programs of this machine), open (everybody), or off.'),
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
