import { redact } from '@tokenry/core';

const MAX_SHOWN = 200;
/** More than is ever shown: patterns do not run over what a server may have made a megabyte long. */
const MAX_READ = 2000;

/** What a server wrote, fit for traces and messages: no control characters, no credentials, no novels. */
export function serverText(text: string): string {
  const clean = redact(text.slice(0, MAX_READ)).replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}
