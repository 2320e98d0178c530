module.exports = require('@turnwire/emulator');
