/** `npx @purposepath/realtime mock`: reads the flags, starts the mock server, and takes commands from the standard input. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Limits } from '../testing/protocol-server.js';
import { COMMANDS, parseCommand, parseScenario, typesOf } from './commands.js';
import { anySeed, createMockServer } from './server.js';

const USAGE = `npx @purposepath/realtime mock [flags]

  --port N         where it listens, on 127.0.0.1; 0 takes a free one (default $PORT, else 5055)
  --rate N         events a second, to every tenant that has a client; 0 = none (default 0.5, with a scenario 0)
  --types LIST     of which types, such as goal.*,issue.created (default all)
  --seed N         the same seed gives the same types in the same order
  --scenario FILE  commands, one a line, run when the first client is authenticated
  --limit NAME=N   another limit of the server: replayEvents, replayBytes, batchBytes, retentionMs, connections, authMs
  -h, --help

Commands on the standard input and in a scenario: ${COMMANDS}.
The JSON of emit is laid over the type's sample; tenantId, eventId, occurredAt and correlationId in it count as from a domain service.`;

const LIMITS: readonly (keyof Limits)[] = ['replayEvents', 'replayBytes', 'batchBytes', 'retentionMs', 'connections', 'authMs'];

const numberOf = (flag: string, text: string, least: number, most: number, whole: boolean): number => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) throw new Error(`${flag} is ${JSON.stringify(text)}: give a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  return value;
};
const limitsOf = (given: readonly string[]): Partial<Limits> =>
  Object.fromEntries(
    given.map((text) => {
      const [name = '', value = ''] = text.split('=');
      if (!LIMITS.includes(name as keyof Limits)) throw new Error(`--limit ${text}: there are ${LIMITS.join(', ')}`);
      return [name, numberOf('--limit ' + name, value, 1, Number.MAX_SAFE_INTEGER, true)];
    }),
  );

async function mock(args: readonly string[], env: { readonly [name: string]: string | undefined }): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      rate: { type: 'string' },
      types: { type: 'string' },
      seed: { type: 'string' },
      scenario: { type: 'string' },
      limit: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return console.log(USAGE);
  const { scenario: file } = values;
  let scenario = parseScenario('');
  try {
    if (file !== undefined) scenario = parseScenario(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`--scenario ${file}: ${(error as Error).message}`);
  }
  const wanted = numberOf('--port', values.port ?? env.PORT ?? '5055', 0, 65_535, true);
  const server = createMockServer({
    rate: numberOf('--rate', values.rate ?? (file === undefined ? '0.5' : '0'), 0, 1_000, false),
    types: typesOf(values.types ?? '*'),
    seed: values.seed === undefined ? anySeed() : numberOf('--seed', values.seed, 1, 2_147_483_646, true),
    scenario,
    limits: limitsOf(values.limit || []),
    log: (line) => console.log(line),
  });
  const port = await server.listen(wanted).catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new Error(`port ${wanted} is in use: end what listens there, or choose another with --port`);
    throw new Error(`listen on port ${wanted}: ${message}`);
  });
  console.log(`PurposePath Realtime mock is ready (${Math.round(performance.now())} ms)

  socket    ws://localhost:${port}
  token     http://localhost:${port}/_local/token?tenant=demo&user=ana
  commands  ${COMMANDS}
`);
  // In the order of the lines, also where one waits.
  let last = Promise.resolve();
  createInterface({ input: process.stdin }).on('line', (line) => {
    last = last.then(async () => {
      try {
        const command = parseCommand(line);
        const said = command && (await server.run(command));
        if (said) console.log(said);
      } catch (error) {
        console.log((error as Error).message);
      }
    });
  });
}

const [command, ...args] = process.argv.slice(2);
process.on('SIGINT', () => process.exit(0));
// Whoever read the lines has left.
process.stdout.on('error', () => process.exit(0));
if (command === 'mock')
  mock(args, process.env).catch((error: unknown) => {
    // parseArgs adds advice on lines of its own.
    console.error((error as Error).message.split('\n')[0]);
    process.exitCode = 1;
  });
else {
  const asked = command === '-h' || command === '--help';
  (asked ? console.log : console.error)(USAGE);
  process.exitCode = asked ? 0 : 2;
}
