#!/usr/bin/env node
// The command of the package. The application never loads it, nor anything that it loads of src/cli.
require('../dist/src/cli/main.js').main(process.argv.slice(2));
