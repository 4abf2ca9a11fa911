import { createRequire } from 'node:module';
import type * as GrpcJs from '@grpc/grpc-js';

/** The SDK's own gRPC, whichever copy npm gave it. */
const fromSdk = createRequire(createRequire(import.meta.url).resolve('@google-cloud/firestore'));
const { grpc } = fromSdk('google-gax') as { readonly grpc: typeof GrpcJs };

/** What a server answers instead of serving. */
export interface Refusal {
  readonly code: number;
  readonly details?: string;
  /** google.rpc.RetryInfo: how long to wait. */
  readonly retryAfterSeconds?: number;
}

/** A real gRPC server in Firestore's place, for answers that no emulator gives. It counts what it is asked. */
export interface StatusServer {
  readonly host: string;
  readonly calls: () => number;
  answer(refusal: Refusal): void;
  stop(): void;
}

export async function startStatusServer(): Promise<StatusServer> {
  let refusal: Refusal = { code: 2 };
  let calls = 0;
  const error = () => {
    calls += 1;
    const metadata = new grpc.Metadata();
    if (refusal.retryAfterSeconds !== undefined)
      metadata.set('grpc-status-details-bin', statusDetails(refusal.code, refusal.retryAfterSeconds));
    return Object.assign(new Error(), { code: refusal.code, details: refusal.details ?? '', metadata });
  };
  const server = new grpc.Server();
  server.addService(
    { BatchGetDocuments: method('BatchGetDocuments', true), RunQuery: method('RunQuery', true), Commit: method('Commit', false) },
    {
      BatchGetDocuments: (call: GrpcJs.ServerWritableStream<Buffer, Buffer>) => call.emit('error', error()),
      RunQuery: (call: GrpcJs.ServerWritableStream<Buffer, Buffer>) => call.emit('error', error()),
      Commit: (_call: unknown, answer: GrpcJs.sendUnaryData<Buffer>) => answer(error()),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (failure: Error | null, at: number) => (failure ? reject(failure) : resolve(at));
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), bound);
  });
  return {
    host: `127.0.0.1:${port}`,
    calls: () => calls,
    answer: (next) => {
      [refusal, calls] = [next, 0];
    },
    stop: () => server.forceShutdown(),
  };
}

function method(name: string, responseStream: boolean) {
  const asIs = (bytes: Buffer) => bytes;
  return {
    path: `/google.firestore.v1.Firestore/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** google.rpc.Status { code = 1, details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration { seconds = 1 } } } } */
function statusDetails(code: number, seconds: number): Buffer {
  const block = (field: number, bytes: Buffer) => Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]);
  const number = (field: number, value: number) => Buffer.from([field * 8, value]);
  const retryInfo = block(1, number(1, seconds));
  const any = Buffer.concat([block(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')), block(2, retryInfo)]);
  return Buffer.concat([number(1, code), block(3, any)]);
}
