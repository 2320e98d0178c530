// 'turnwire/emulator' is '@turnwire/emulator', for who has installed 'turnwire' alone.
export * from '@turnwire/emulator';
