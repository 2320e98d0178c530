/** What a model takes a while for, in few tokens. */
export const longTask = 'Count from one to sixty in words, separated by commas.';
