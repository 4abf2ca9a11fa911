import { extname } from 'node:path';
import { type MessagePort, Worker } from 'node:worker_threads';
import type { ThreadReply, ThreadRequest } from './messages.js';

const MAX_IDLE = 2;

/**
 * Runs ahead of the worker's own modules when this package runs from its TypeScript sources (in its own tests): Node
 * strips the types, but looks for the `.js` files that the imports name.
 */
const RESOLVE_SOURCES = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    const isOwn = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
    return next(isOwn ? specifier.replace(/\\.js$/, '.ts') : specifier, context);
  },
});`)}`;

// Loading oidc-provider takes a third of a second of processor time: a thread whose authority was closed is kept for the next.
const idle: Worker[] = [];

/** A server thread that is not at work. */
export function takeThread(): Worker {
  const kept = idle.pop();
  if (kept) return kept;
  const extension = extname(new URL(import.meta.url).pathname);
  const entry = new URL(`./server/worker${extension}`, import.meta.url);
  // The process's own flags are not passed on: some, such as --input-type, make no sense for a file.
  const execArgv = extension === '.ts' ? ['--import', RESOLVE_SOURCES] : [];
  const worker = new Worker(entry, { execArgv, name: 'tokenry-dev-authority' });
  worker.unref();
  worker.once('exit', () => {
    const at = idle.indexOf(worker);
    if (at >= 0) idle.splice(at, 1);
  });
  return worker;
}

/** Keeps a thread for the next authority, or ends it. */
export async function releaseThread(worker: Worker): Promise<void> {
  if (idle.length < MAX_IDLE) idle.push(worker);
  else await worker.terminate();
}

/** Asks a thread and waits for its answer; meanwhile it holds the process. @throws when the thread fails */
export function ask(worker: Worker, request: ThreadRequest, transfer: readonly MessagePort[] = []): Promise<ThreadReply> {
  return new Promise<ThreadReply>((resolve, reject) => {
    worker.ref();
    const settle = (act: () => void) => {
      worker.off('message', onMessage).off('error', onError);
      worker.unref();
      act();
    };
    const onMessage = (reply: ThreadReply) => settle(() => resolve(reply));
    const onError = (error: unknown) => settle(() => reject(error));
    worker.on('message', onMessage).on('error', onError);
    worker.postMessage(request, transfer);
  });
}
