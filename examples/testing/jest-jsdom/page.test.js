const { useEmulator } = require('@turnwire/emulator');
const { showAnswer } = require('./page.js');

// jsdom sends the origin of its page, as a browser does, and the emulator takes no page that it was not told of.
const emulator = useEmulator({ allowedOrigins: [window.location.origin] });

test('the page shows what the model answers', async () => {
  await emulator.script({ turns: [{ text: 'Sunny.' }] });
  const element = document.createElement('p');
  await showAnswer(emulator.url, 'How is the weather?', element);
  expect(element.textContent).toBe('Sunny.');
  emulator.assertScriptUsed();
});

test('the variables of the process name the emulator', () => {
  expect(process.env.OPENAI_BASE_URL).toBe(emulator.url);
});
