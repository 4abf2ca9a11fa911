import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sendJson } from '../form.js';

/** An answer of the Graph-like API. */
export interface GraphAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** An error in Microsoft Graph's shape. */
export function graphError(status: number, code: string, message: string, headers: Record<string, string> = {}): GraphAnswer {
  const innerError = {
    date: new Date().toISOString().slice(0, 19),
    'request-id': randomUUID(),
    'client-request-id': randomUUID(),
  };
  return { status, headers, body: { error: { code, message, innerError } } };
}

export function sendGraph(response: ServerResponse, { status, body, headers = {} }: GraphAnswer): void {
  const all = { 'request-id': randomUUID(), ...headers };
  if (body === undefined) response.writeHead(status, { 'content-length': '0', ...all }).end();
  else sendJson(response, status, body, all);
}
