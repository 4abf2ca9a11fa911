import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from '../fault.js';
import { sendJson } from './form.js';
import { refusalBody } from './refusal.js';

/**
 * Waits and breaks the connection as a fault says.
 * @returns whether the connection is gone
 */
export async function delayOrReset(fault: Fault, response: ServerResponse): Promise<boolean> {
  if (fault.delayMs !== undefined) await delay(fault.delayMs);
  if (fault.reset !== 'before') return response.destroyed;
  breakConnection(response);
  return true;
}

/** Ends a connection with a reset, the way a crashed proxy does. */
export function breakConnection(response: ServerResponse): void {
  // TLS sockets have no resetAndDestroy of their own effect on all platforms: destroying without an answer reads as ECONNRESET or "other side closed".
  response.socket?.destroy();
}

/** Whether a fault replaces the answer (instead of only delaying or losing it). */
export const hasAnswer = (fault: Fault): boolean =>
  fault.error !== undefined || fault.status !== undefined || fault.retryAfterSeconds !== undefined || fault.claims !== undefined;

export function statusOf(fault: Fault): number {
  return (
    fault.status ??
    (fault.retryAfterSeconds === undefined ? (fault.error === undefined && fault.claims === undefined ? 500 : 400) : 429)
  );
}

/** Answers as Entra ID's endpoints do when they fail in this way. */
export function sendFault(fault: Fault, response: ServerResponse): { readonly status: number; readonly error: string } {
  const status = statusOf(fault);
  const fallback = status === 429 ? 'too_many_requests' : status >= 500 ? 'server_error' : 'interaction_required';
  const error = fault.error ?? fallback;
  const headers: Record<string, string> =
    fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
  const body = refusalBody({
    status,
    error,
    message: 'This failure was asked for by a test.',
    codes: fault.errorCodes ?? [],
    ...(fault.suberror === undefined ? {} : { suberror: fault.suberror }),
    ...(fault.claims === undefined ? {} : { claims: fault.claims }),
  });
  sendJson(response, status, body, headers);
  return { status, error };
}
