/**
 * How far a turn got, from what is certain: up to `sending` the server has not seen it, from `created` it has begun it, and
 * `sent` means that it may have. From `tool` on a side effect may hang on it.
 */
export type Phase = 'queued' | 'sending' | 'sent' | 'created' | 'visible' | 'tool' | 'terminal';
