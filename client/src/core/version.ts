/** The package's version, which it names to the server. A test holds it to package.json. */
export const VERSION = '0.0.0';
