// The client's rules, for the demo as well.
import client from '../eslint.config.mjs';

// What it says of single files, and of tests as such, is not meant for these.
const isGeneral = ({ files }) => files?.includes('src/**/*.ts');

export default client.filter(isGeneral).map((part) => ({ ...part, files: ['**/*.ts', '**/*.tsx'] }));
