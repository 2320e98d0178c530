// What stands behind 'turnwire/emulator': the package '@turnwire/emulator', for who has installed only 'turnwire'.
export * from '@turnwire/emulator';
