/** SHA-256 (FIPS 180-4) for what is not worth loading node:crypto. Slow, and not for secrets: its timing tells of them. */
export function sha256(data: Uint8Array): Buffer {
  const primes = firstPrimes(64);
  const constants = Int32Array.from(primes, (prime) => fractionOf(Math.cbrt(prime)));
  const state = Int32Array.from(primes.slice(0, 8), (prime) => fractionOf(Math.sqrt(prime)));
  const message = padded(data);
  const words = new Int32Array(64);
  for (let at = 0; at < message.byteLength; at += 64) {
    schedule(words, message, at);
    compress(state, words, constants);
  }
  const digest = Buffer.alloc(32);
  state.forEach((word, index) => void digest.writeInt32BE(word, index * 4));
  return digest;
}

/** The message, a one bit, zeros up to a whole block, and the length in bits. */
function padded(data: Uint8Array): DataView {
  const message = new Uint8Array((Math.floor((data.byteLength + 8) / 64) + 1) * 64);
  message.set(data);
  message[data.byteLength] = 0x80;
  const view = new DataView(message.buffer);
  view.setBigUint64(message.byteLength - 8, BigInt(data.byteLength) * 8n);
  return view;
}

// Rotations are written out: as calls they would be most of the time, since this runs once and is never optimised.
function schedule(words: Int32Array, message: DataView, at: number): void {
  for (let t = 0; t < 16; t++) words[t] = message.getInt32(at + t * 4);
  for (let t = 16; t < 64; t++) {
    const early = words[t - 15] ?? 0;
    const late = words[t - 2] ?? 0;
    const mixedEarly = ((early >>> 7) | (early << 25)) ^ ((early >>> 18) | (early << 14)) ^ (early >>> 3);
    const mixedLate = ((late >>> 17) | (late << 15)) ^ ((late >>> 19) | (late << 13)) ^ (late >>> 10);
    words[t] = (words[t - 16] ?? 0) + mixedEarly + (words[t - 7] ?? 0) + mixedLate;
  }
}

function compress(state: Int32Array, words: Int32Array, constants: Int32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < 64; t++) {
    const chosen = (e & f) ^ (~e & g);
    const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const first = (h + sumE + chosen + (constants[t] ?? 0) + (words[t] ?? 0)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + sumA + majority) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = (state[index] ?? 0) + word;
  });
}

/** The first 32 bits behind the point. */
const fractionOf = (root: number): number => ((root % 1) * 2 ** 32) | 0;

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++)
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  return primes;
}
