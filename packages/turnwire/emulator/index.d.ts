export * from '@turnwire/emulator';
