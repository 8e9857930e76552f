/** The version of this package; a test holds it equal to package.json, which cannot be imported from below dist. */
export const VERSION = '0.1.0';
