import type { IncomingMessage } from 'node:http';
import { TransportFailure } from './transport-failure.js';

/** More than any Autodiscover answer; a larger one is cut off while it arrives. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The whole body as text. @throws TransportFailure when it is compressed or too large */
export async function readBody(message: IncomingMessage): Promise<string> {
  const encoding = message.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new TransportFailure('bad-response', 'the answer is compressed, which was not asked for');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new TransportFailure('too-large', `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
