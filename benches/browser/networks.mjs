// What Node.js and the page share: the networks, the sound that goes through them, and the bits of what comes out.
export const NETWORKS = ["LSTM (1, 16)", "LSTM (1, 40)", "GRU (1, 16)", "GRU (1, 40)"];
export const BLOCK = 128;
export const RATE = 48000;
/// What a page has for a block.
export const QUANTUM_MS = (1000 * BLOCK) / RATE;

/// Noise in ±0.5, whole blocks of it.
export function noise(blocks) {
  let seed = 1;
  return Float32Array.from({ length: blocks * BLOCK }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) / 2 ** 24 - 0.5;
  });
}

/// FNV-1a over the bits.
export function digest(samples) {
  const words = new Uint32Array(samples.buffer, samples.byteOffset, samples.length);
  const hash = words.reduce((hash, word) => Math.imul(hash ^ word, 16777619), 2166136261);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
