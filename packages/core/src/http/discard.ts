/** Answers up to this size are read to their end, so that the connection can be used again. */
const DRAINED_BYTES = 65_536;

/** Lets go of an answer that nobody will read. */
export async function discard(response: Response): Promise<void> {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  // Only failures are discarded, and the failure to read one changes nothing.
  await (length <= DRAINED_BYTES ? response.arrayBuffer() : response.body?.cancel())?.catch(() => undefined);
}
