export const profileNames = ['openai', 'azure', 'xai', 'vercel', 'openresponses', 'chatgpt', 'gateway'] as const;

/** The provider that a server claims to be: features that this provider lacks are no failures. */
export type ProfileName = (typeof profileNames)[number];

/** The form that requests must have for a provider to take them at all. */
export interface Profile {
  name: ProfileName;
  /** True where a turn with `store: false` can be continued on its connection. */
  continuesUnstored: boolean;
  /** True where `max_output_tokens` is allowed. */
  outputLimit: boolean;
}

export function profileOf(name: ProfileName): Profile {
  return { name, continuesUnstored: name !== 'xai', outputLimit: name !== 'chatgpt' };
}
