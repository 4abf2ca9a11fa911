/** Random numbers that can be had again: the same seed gives the same sequence. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TOKENS = [
  '<',
  '>',
  '&',
  '"',
  "'",
  ']]>',
  '<![CDATA[',
  '<!--',
  '-->',
  '<?xml version="1.1"?>',
  '<!DOCTYPE a>',
  '&#0;',
  '&#x110000;',
  '&x;',
  '&lt;',
  ' xmlns="x"',
  ' i:nil="true"',
  ' __proto__="x"',
  '<__proto__>',
  '{"__proto__":{}}',
  '\u0000',
  '\ufeff',
  '\ud800',
  '\u202e',
  '\r\n',
  '\n',
  ':',
  ',',
  '{',
  '}',
  '[',
  ']',
  'null',
  'true',
  '1e999',
  '-0',
  '99999999999999999999',
  'https://evil.example/',
  'http://x/',
  'file:///',
  'ada@evil.example',
  'RedirectUrl',
  'RedirectAddress',
  'ServerBusy',
  'InvalidUser',
  'NoError',
  'settings',
  'redirectAddr',
  'constructor',
  'toString',
]; // prettier-ignore
const MAX_LENGTH = 64 * 1024;

/** `text` with one to four random changes. */
export function mutate(text: string, others: readonly string[], random: () => number): string {
  let result = text;
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes; i++) result = change(result, others, random).slice(0, MAX_LENGTH);
  return result;
}

function change(text: string, others: readonly string[], random: () => number): string {
  const at = Math.floor(random() * (text.length + 1));
  const to = Math.min(text.length, at + Math.floor(random() * 40));
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  switch (Math.floor(random() * 8)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(to);
    case 2:
      return text.slice(0, to) + text.slice(at);
    case 3:
      return text.slice(0, at);
    case 4: {
      const other = pick(others);
      return text.slice(0, at) + other.slice(Math.floor(random() * other.length));
    }
    case 5:
      return text.slice(0, at) + text.slice(at, to).repeat(1 + Math.floor(random() * 300)) + text.slice(to);
    default:
      return text.slice(0, at) + pick(TOKENS) + text.slice(at);
  }
}
