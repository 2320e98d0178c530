export const profileNames = ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt', 'gateway'] as const;

/** Whose server it claims to be: what that provider does not have is no failure. */
export type ProfileName = (typeof profileNames)[number];

/** What requests have to be like, so that a provider takes them at all. */
export interface Profile {
  name: ProfileName;
  /** Whether a turn with `store: false` can be continued on its connection. */
  continuesUnstored: boolean;
  /** Whether `max_output_tokens` is taken. */
  outputLimit: boolean;
}

export function profileOf(name: ProfileName): Profile {
  return { name, continuesUnstored: name !== 'xai', outputLimit: name !== 'chatgpt' };
}
