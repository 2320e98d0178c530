/** The pages of docs/ in the order in which a newcomer needs them. `npm run docs` fails for a page that is in no chapter. */
export const chapters = [
  {
    title: 'Guides',
    pages: [
      'client',
      'fetch',
      'gateway',
      'cluster',
      'agents',
      'configuration',
      'sessions',
      'secrets',
      'check',
      'doctor',
    ],
  },
  {
    title: 'The emulator',
    pages: [
      'emulator',
      'emulator-scripts',
      'emulator-faults',
      'emulator-recordings',
      'emulator-wire',
      'emulator-clients',
      'emulator-speed',
    ],
  },
  {
    title: 'How it works',
    pages: ['continuation', 'connections', 'reliability', 'bounds', 'network', 'performance', 'comparison'],
  },
  { title: 'Reference', pages: ['cli', 'errors', 'glossary'] },
  { title: 'The wire', pages: ['protocol', 'faults'] },
  { title: 'Inside', pages: ['architecture'] },
];
