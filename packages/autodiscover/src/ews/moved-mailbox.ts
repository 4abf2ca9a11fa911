/** EWS response codes that mean "look for the mailbox again", in a fault or in an answer with status 200. */
const CODE = /\b(?:ErrorConnectionFailed|ErrorMailboxMoveInProgress)\s*<\/(?:[\w.-]{1,40}:)?ResponseCode\s*>/;
/** The code stands near the start; an answer full of mail is not searched to its end. */
const MAX_SEARCHED = 64 * 1024;
/** Longer than what the pattern matches, for a code that arrives in two pieces. */
const OVERLAP = 128;

/** Passes an answer of EWS through as it is, and calls `onMoved`, once, if it says that the mailbox is on the move. */
export function watchForMove(onMoved: () => void): TransformStream<Uint8Array, Uint8Array> {
  let searched = 0;
  let tail = '';
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      if (searched >= MAX_SEARCHED) return;
      const text = tail + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1', 0, MAX_SEARCHED);
      searched += chunk.byteLength;
      tail = text.slice(-OVERLAP);
      if (!CODE.test(text)) return;
      searched = MAX_SEARCHED;
      onMoved();
    },
  });
}
