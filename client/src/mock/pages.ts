/** The mock server's own pages, as the local stack has them: `/_health` and `/_local/token`, to programs and pages of this machine only. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Issuer } from './tokens.js';

/** Bytes of a tenant's or user's id. */
const LONGEST_ID = 256;
const UNITS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `90s` or `1h30m`; undefined where it is none, or not above zero. */
export function durationOf(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g)) total += Number(number) * (UNITS[unit as string] as number);
  return total > 0 && Number.isSafeInteger(Math.ceil(total)) ? total : undefined;
}

const isLoopback = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost') || name === 'host.docker.internal' || /^127(\.\d+){3}$/.test(name) || name === '[::1]';
/** Under another name a page of elsewhere could point that name to this machine, and get itself a token. */
const isHere = (url: string): boolean => {
  try {
    return isLoopback(new URL(url).hostname);
  } catch {
    return false;
  }
};

/** Answers one request. */
export function servePage(issuer: Issuer, request: IncomingMessage, response: ServerResponse): void {
  const { origin, host = '' } = request.headers;
  const say = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(text);
  };
  let url: URL;
  try {
    url = new URL(request.url || '/', 'http://localhost');
  } catch {
    return say(400, 'the path is none\n');
  }
  if (!url.pathname.startsWith('/_')) return say(426, 'this is a WebSocket server\n');
  if (!isHere('http://' + host) || (origin !== undefined && !isHere(origin))) return say(403, 'the mock server answers to programs and to pages of localhost only\n');
  if (origin !== undefined) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Vary', 'Origin');
    response.setHeader('Access-Control-Allow-Methods', 'GET');
    response.setHeader('Access-Control-Allow-Headers', '*');
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return say(405, 'GET only\n');
  if (url.pathname === '/_health') return say(200, 'ok\n');
  if (url.pathname !== '/_local/token') return say(404, 'there are /_health and /_local/token?tenant=demo&user=ana\n');

  const [tenantId, userId] = ['tenant', 'user'].map((name) => url.searchParams.get(name) || '') as [string, string];
  for (const [name, id] of [['tenant', tenantId], ['user', userId]] as const) {
    if (!id || Buffer.byteLength(id) > LONGEST_ID) return say(400, `${name} must have 1 to ${LONGEST_ID} bytes: /_local/token?tenant=demo&user=ana\n`);
  }
  const expires = url.searchParams.get('expires');
  const life = durationOf(expires || '1h');
  if (life === undefined) return say(400, `expires is ${JSON.stringify(expires)}: give a duration such as 15m or 90s\n`);
  const { token, expiresAt } = issuer.issue(tenantId, userId, life);
  say(200, JSON.stringify({ token, tenantId, userId, expiresAt: new Date(expiresAt).toISOString().replace('.000', '') }) + '\n', 'application/json');
}
