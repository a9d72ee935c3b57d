// Renders noise through every network and module, some times over, and posts the least milliseconds and the bits.
import { BLOCK, NETWORKS, RATE, noise, digest } from "./networks.mjs";

async function render(samples, name, processorOptions) {
  const context = new OfflineAudioContext(1, samples.length, RATE);
  await context.audioWorklet.addModule("worklet.js");
  const source = new AudioBufferSourceNode(context, {
    buffer: new AudioBuffer({ length: samples.length, sampleRate: RATE }),
  });
  source.buffer.copyToChannel(samples, 0);
  const options = { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1], processorOptions };
  const node = new AudioWorkletNode(context, name, options);
  // The processor is there when it has spoken.
  const environment = name === "through" || (await new Promise((resolve, reject) => {
    node.port.onmessage = ({ data }) => resolve(data);
    node.onprocessorerror = reject;
  }));
  source.connect(node).connect(context.destination);
  source.start();
  const start = performance.now();
  const rendered = await context.startRendering();
  const ms = performance.now() - start;
  return { ms, digest: digest(rendered.getChannelData(0)), environment };
}

async function run() {
  const { blocks, rounds, variants } = await (await fetch("job")).json();
  const samples = noise(blocks);
  const modules = await Promise.all(
    variants.map(async (variant) => [variant, await (await fetch(variant)).arrayBuffer()]),
  );
  const kinds = [["through", "through", {}]];
  NETWORKS.forEach((name, network) => {
    for (const [variant, bytes] of modules) kinds.push([`${name} ${variant}`, "network", { bytes, network }]);
  });
  const least = {};
  for (let round = 0; round < rounds; round++) {
    for (const [key, name, options] of kinds) {
      const found = await render(samples, name, options);
      const before = least[key] ?? found;
      found.same = found.digest === before.digest && before.same !== false;
      found.ms = Math.min(found.ms, before.ms);
      least[key] = found;
    }
  }
  return { agent: navigator.userAgent, blocks, least };
}

run()
  .catch((error) => ({ error: String(error?.stack ?? error) }))
  .then((result) => fetch("result", { method: "POST", body: JSON.stringify(result) }));
