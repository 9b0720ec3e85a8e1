/** The domain service of every tenant, in the process of the Vite server: its routes are the page's backend, its events go to the local stack's bus. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connect, Plugin } from 'vite';
import type { CatalogueType } from '../../src/index.js';
import { Refused } from './commands.js';
import type { Command } from './commands.js';
import { tenantOf, tenants } from './people.js';
import { createService } from './service.js';
import type { Service } from './service.js';
import type { DomainEvent } from './state.js';

/** Bytes of a request. */
const LONGEST = 131_072;

/** What the page asks for, by route. */
export interface Requests {
  readonly '/service/command': { readonly tenantId: string; readonly userId: string; readonly command: Command; readonly correlationId: string };
  readonly '/service/act': { readonly tenantId: string; readonly type: CatalogueType | undefined; readonly count: number; readonly by: readonly string[] };
  readonly '/service/simulate': { readonly tenantId: string; readonly everyMs: number };
  readonly '/service/refuse': { readonly tenantId: string };
  /** To the management API: a message, an end, or both. */
  readonly '/service/connection': { readonly connectionId: string; readonly message?: object; readonly close?: boolean };
}

/** What it gets. A refusal is no failure of the service, so its status is 200. */
export interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

const read = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk as string;
    if (text.length > LONGEST) throw new Refused('The request is too long.');
  }
  return text;
};

/** What is used of the stack: the bus, and the gateway's management API. No signature is checked there. */
const stackAt = (url: string) => {
  let bus: string | undefined;
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const answer = await fetch(url + path, init);
    if (!answer.ok) throw new Error(`${init.method ?? 'GET'} ${path}: status ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  return {
    async put(events: readonly DomainEvent[]): Promise<void> {
      bus ??= ((await (await call('/_local/info', {})).json()) as { eventBus: string }).eventBus;
      const Entries = events.map(({ type, eventId, timestamp, correlationId, data }) => ({
        EventBusName: bus,
        Source: `purposepath.${type.split('.')[0] ?? ''}s`,
        DetailType: type,
        Detail: JSON.stringify({ ...data, eventId, occurredAt: timestamp, correlationId }),
      }));
      const answer = await call('/', { method: 'POST', headers: { 'X-Amz-Target': 'AWSEvents.PutEvents', 'Content-Type': 'application/x-amz-json-1.1' }, body: JSON.stringify({ Entries }) });
      const { FailedEntryCount: failed } = (await answer.json()) as { FailedEntryCount: number };
      if (failed) throw new Error(`the bus refused ${failed} of ${events.length} events`);
    },
    async connection(id: string, message: object | undefined, close: boolean): Promise<void> {
      const path = `/@connections/${encodeURIComponent(id)}`;
      const headers = { Authorization: 'AWS4-HMAC-SHA256 unchecked' };
      if (message) await call(path, { method: 'POST', headers, body: JSON.stringify(message) });
      // 410: what the message said has made the client leave.
      if (close) await fetch(url + path, { method: 'DELETE', headers });
    },
  };
};

/** A plugin that serves `/service/…` with the stack at a URL behind it. */
export function domainService(stackUrl: string): Plugin {
  const stack = stackAt(stackUrl);
  const services = new Map<string, Service>();
  const serviceOf = (tenantId: string): Service => {
    if (!tenants.some(({ id }) => id === tenantId)) throw new Refused('There is no such tenant.');
    let service = services.get(tenantId);
    if (!service) services.set(tenantId, (service = createService(tenantId, { publish: stack.put, now: Date.now, random: Math.random, id: randomUUID })));
    return service;
  };
  const people = (tenantId: string, ids: readonly string[]) => tenantOf(tenantId).people.filter(({ id }) => ids.includes(id));
  const routes: { readonly [R in keyof Requests]: (body: Requests[R]) => unknown } = {
    '/service/command': ({ tenantId, userId, command, correlationId }) => {
      const [user] = people(tenantId, [userId]);
      if (!user) throw new Refused('Nobody is signed in.');
      return serviceOf(tenantId).execute(command, user, correlationId);
    },
    '/service/act': ({ tenantId, type, count, by }) => serviceOf(tenantId).act(type, count, people(tenantId, by)),
    '/service/simulate': ({ tenantId, everyMs }) => serviceOf(tenantId).simulate(everyMs),
    '/service/refuse': ({ tenantId }) => serviceOf(tenantId).refuseNext(),
    '/service/connection': ({ connectionId, message, close = false }) => stack.connection(connectionId, message, close),
  };
  const answer = async (request: IncomingMessage, url: URL): Promise<unknown> => {
    if (request.method === 'GET' && url.pathname === '/service/snapshot') return serviceOf(url.searchParams.get('tenant') ?? '').snapshot();
    const route = routes[url.pathname as keyof Requests] as ((body: unknown) => unknown) | undefined;
    // A page of elsewhere can't send this type without being asked first, which Vite answers for pages of this machine alone.
    if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json' || !route) throw new Refused(`${request.method ?? ''} ${url.pathname} is not served.`);
    return route(JSON.parse(await read(request)));
  };
  const serve: Connect.NextHandleFunction = (request: IncomingMessage, response: ServerResponse, next) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith('/service/')) return next();
    const say = (status: number, body: Answer): void => void response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(body));
    answer(request, url).then(
      (value) => say(200, { value }),
      (error: unknown) => say(error instanceof Refused ? 200 : 502, { error: error instanceof Error ? error.message : String(error) }),
    );
  };
  const configure = ({ middlewares }: { readonly middlewares: Connect.Server }): void => void middlewares.use(serve);
  return { name: 'domain-service', configureServer: configure, configurePreviewServer: configure };
}
