import type { Toolset } from './toolset.js';

/** The tools of each kind of toolset that has the same ones in every file. */
export const toolNames: Readonly<Partial<Record<Toolset['type'], readonly string[]>>> = {
  filesystem: [
    'read_file',
    'read_multiple_files',
    'write_file',
    'edit_file',
    'list_directory',
    'directory_tree',
    'create_directory',
    'remove_directory',
    'search_files_content',
  ],
  shell: ['shell', 'run_background_job', 'list_background_jobs', 'view_background_job', 'stop_background_job'],
  background_jobs: ['run_background_job', 'list_background_jobs', 'view_background_job', 'stop_background_job'],
  fetch: ['fetch'],
  think: ['think'],
  todo: ['create_todo', 'create_todos', 'update_todos', 'list_todos'],
  memory: ['add_memory', 'get_memories', 'search_memories', 'update_memory', 'delete_memory'],
  user_prompt: ['user_prompt'],
};
