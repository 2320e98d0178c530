/** A task that keeps a model busy for a while, at few tokens. */
export const longTask = 'Count from one to sixty in words, separated by commas.';
