/** Longer than any redirect. */
const MAX_LINE = 64 * 1_024;
const CTRL_C = '\u0003';
/** Return, newline, and what a raw terminal sends for Ctrl+C and Ctrl+D. */
const LINE_ENDS = ['\r', '\n', CTRL_C, '\u0004'];
/** What terminals put around pasted text. */
const PASTE_MARKS = ['\u001b[200~', '\u001b[201~'];

interface Terminal {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(mode: boolean): unknown;
}

/**
 * Reads one line. A terminal is read raw: in its line mode macOS cuts input at 1024 characters, which is shorter than an
 * authorization code. Raw input is not echoed, so the code does not stay on the screen. An ended input counts as a line.
 */
export function readLine(input: NodeJS.ReadableStream, signal: AbortSignal | undefined): Promise<string> {
  const terminal = input as NodeJS.ReadableStream & Terminal;
  const setRaw = terminal.isTTY && terminal.setRawMode ? (raw: boolean) => void terminal.setRawMode?.(raw) : () => {};
  const wasRaw = terminal.isRaw ?? false;
  return new Promise<string>((resolve, reject) => {
    let text = '';
    const done = (settle: () => void) => {
      input.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal?.removeEventListener('abort', onAbort);
      setRaw(wasRaw);
      input.pause();
      settle();
    };
    const onData = (chunk: Buffer | string) => {
      text = edited(text + chunk.toString());
      const end = text.split('').findIndex((character) => LINE_ENDS.includes(character));
      if (end === -1 && text.length <= MAX_LINE) return;
      if (text[end] === CTRL_C) done(() => resolve(''));
      else done(() => resolve(end === -1 ? '' : text.slice(0, end)));
    };
    const onEnd = () => done(() => resolve(text));
    const onError = (error: Error) => done(() => reject(error));
    const onAbort = () => done(() => reject(signal?.reason));
    if (signal?.aborted) return reject(signal.reason);
    // It tells of its end only once: to an earlier reader.
    if (!input.readable) return resolve('');
    signal?.addEventListener('abort', onAbort, { once: true });
    setRaw(true);
    input.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    input.resume();
  });
}

/** Applies backspaces, which a raw terminal hands through, and drops the markers around a bracketed paste. */
function edited(text: string): string {
  let result = '';
  for (const character of PASTE_MARKS.reduce((rest, mark) => rest.replaceAll(mark, ''), text)) {
    if (character === '\b' || character === '\u007f') result = result.slice(0, -1);
    else result += character;
  }
  return result;
}
