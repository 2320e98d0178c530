import type { InputItem } from '@turnwire/client';

/** The text that replaces a secret. */
const mark = '[REDACTED]';

/** The shapes of keys with a distinctive beginning; no word of a language matches any of them. */
const shapes: readonly string[] = [
  // GitHub, GitLab, npm, PyPI, Docker, Hugging Face
  'gh[pousr]_[A-Za-z0-9]{20,255}',
  'github_pat_[A-Za-z0-9_]{20,255}',
  'gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,255}',
  'npm_[A-Za-z0-9]{30,255}',
  'pypi-[A-Za-z0-9_-]{50,1024}',
  'dckr_[a-z]{3}_[A-Za-z0-9_-]{20,255}',
  'hf_[A-Za-z0-9]{30,255}',
  // AWS, Google, Azure, DigitalOcean
  '(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])',
  'AIza[A-Za-z0-9_-]{35}',
  'ya29\\.[A-Za-z0-9_-]{20,1024}',
  'GOCSPX-[A-Za-z0-9_-]{20,255}',
  'do[opr]_v1_[a-f0-9]{64}',
  // OpenAI, Anthropic, OpenRouter and others with the same prefix; xAI, Groq, Perplexity
  'sk-(?=[A-Za-z_-]{0,256}[0-9])[A-Za-z0-9_-]{20,512}',
  'xai-[A-Za-z0-9]{20,255}',
  'gsk_[A-Za-z0-9]{20,255}',
  'pplx-[A-Za-z0-9]{20,255}',
  // Stripe, Slack, SendGrid, Telegram, Atlassian
  '[rsp]k_(?:live|test)_[A-Za-z0-9]{10,255}',
  'whsec_[A-Za-z0-9+/=]{20,255}',
  'xox[abeoprs](?:\\.[a-z]+)?-[A-Za-z0-9-]{10,255}',
  'xapp-[A-Za-z0-9-]{10,255}',
  'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,128}',
  'ATATT3[A-Za-z0-9_=-]{50,512}',
  // Shopify, Square, Linear, Vercel, Notion, Figma, Grafana, Replicate, NVIDIA, Tavily
  'shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}',
  'sq0(?:atp|csp)-[A-Za-z0-9_-]{22,255}',
  'lin_(?:api|oauth)_[A-Za-z0-9]{32,255}',
  'vercel_blob_rw_[A-Za-z0-9_]{20,255}',
  'ntn_[A-Za-z0-9]{40,255}',
  'figd_[A-Za-z0-9_-]{30,255}',
  'glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}',
  'r8_[A-Za-z0-9]{30,255}',
  'nvapi-[A-Za-z0-9_-]{40,255}',
  'tvly-[A-Za-z0-9-]{20,255}',
  // JSON Web Tokens
  'eyJ[A-Za-z0-9_-]{8,4096}\\.eyJ[A-Za-z0-9_-]{8,8192}\\.[A-Za-z0-9_-]{8,2048}',
];

/** The beginning of a word. In JSON text, a letter before it may be the end of an escape. */
const start = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\(?:[bfnrt]|u[0-9A-Fa-f]{4})))`;
/** Any of these shapes at the beginning of a word, found in one pass over the text. */
const token = new RegExp(`${start}(?:${shapes.join('|')})`, 'g');
/** Slack's webhook addresses: everybody who has one may write to it. */
const webhook = /(?<=hooks\.slack\.com\/services\/)[A-Za-z0-9/_-]{20,255}/g;
/** A password in an address. */
const password = /(?<=[a-z]:\/\/[^\s/:@"']{0,128}:)[^\s/@"']{1,256}(?=@)/gi;
/** A value that is named as an AWS secret, since those have no shape of their own. */
const named =
  /(?<=(?:aws_?secret_?access_?key|aws_?session_?token)["']?\s{0,4}[=:]\s{0,4}["']?)[A-Za-z0-9/+=]{20,2048}/gi;
/** The credential of an Authorization header; a placeholder, such as YOUR_TOKEN, has no digit. */
const header =
  /(?<=authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:bearer|basic|token)\s{1,4})(?=[A-Za-z_.~+/=-]{0,256}\d)[A-Za-z0-9._~+/=-]{12,4096}/gi;
const privateKey = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----/g;
const keyEnd = /-----END [A-Z0-9 ]{1,80}-----/g;

/** A text without the secrets that are recognised by their shape. */
export function redactText(text: string): string {
  const found = withoutPrivateKeys(text)
    .replace(token, mark)
    .replace(webhook, mark)
    .replace(password, mark)
    .replace(named, mark)
    .replace(header, mark);
  return found === text ? text : found;
}

/** A text without private keys: from the first line of a key to its last, or to the end of the text. */
function withoutPrivateKeys(text: string): string {
  let kept = '';
  let from = 0;
  for (;;) {
    privateKey.lastIndex = from;
    const begin = privateKey.exec(text);
    if (begin === null) return from === 0 ? text : kept + text.slice(from);
    keyEnd.lastIndex = privateKey.lastIndex;
    const end = keyEnd.exec(text);
    kept += text.slice(from, begin.index) + mark;
    if (end === null) return kept;
    from = keyEnd.lastIndex;
  }
}

/** Fields without readable text: a change would break them. */
const opaque: ReadonlySet<string> = new Set([
  'id',
  'call_id',
  'type',
  'role',
  'name',
  'status',
  'encrypted_content',
  'image_url',
]);

/** A value without secrets in its texts; the same value where there are none. */
export function redactValue(value: unknown, kept: ReadonlySet<string> = new Set()): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => redactValue(item, kept));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const before = Object.entries(value);
  const after = before.map(([key, inner]) => [key, kept.has(key) ? inner : redactValue(inner, kept)] as const);
  return after.every(([, inner], index) => inner === before[index]?.[1]) ? value : Object.fromEntries(after);
}

const sent = new WeakMap<InputItem, InputItem>();

/** An item of the history in the form that is sent. It is the same each time, so that the server recognises it. */
export function redactItem(item: InputItem): InputItem {
  const known = sent.get(item) ?? (redactValue(item, opaque) as InputItem);
  sent.set(item, known);
  return known;
}
