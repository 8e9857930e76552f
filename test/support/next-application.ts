/** The Next.js application of test/fixtures/frameworks/next: installed, and built for production. */
import { join } from 'node:path';
import type { Installation } from './installed';
import { FIXTURES } from './paths';

/** Its command, in the application's folder. */
export const NEXT = 'node_modules/next/dist/bin/next';
export const QUIET = { NEXT_TELEMETRY_DISABLED: '1' };

export const NEXT_APPLICATION: Installation = {
  name: 'next',
  manifest: {
    dependencies: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    // the image library is big and not needed
    overrides: { sharp: 'file:./no-sharp' },
  },
  files: join(FIXTURES, 'frameworks/next'),
  build: [NEXT, 'build'],
  env: { ...QUIET, NODE_ENV: 'production' },
};
