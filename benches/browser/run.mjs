// What a network costs in WebAssembly, with and without vectors: nanoseconds a sample, and the share of a render quantum (128
// samples at 48 kHz, 2.667 ms) that a block takes. In Node.js, and where a browser is named, in its AudioWorklet, rendered by
// an OfflineAudioContext. Fails where the two modules, or Node.js and the browser, give other bits.
//
//   rustup target add wasm32-unknown-unknown
//   cd benches/browser
//   cargo build --release --target wasm32-unknown-unknown --target-dir target/scalars
//   RUSTFLAGS="-C target-feature=+simd128" cargo build --release --target wasm32-unknown-unknown --target-dir target/simd128
//   node run.mjs [BROWSER]        (a Chromium: "chromium")
//
// `.ci/browser` builds with Debian's toolchain and runs it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK, NETWORKS, QUANTUM_MS, digest, noise } from "./networks.mjs";

const VARIANTS = ["simd128", "scalars"];
/// Four seconds of sound, so that what a rendering takes to start hardly counts.
const BLOCKS = 1500;
const ROUNDS = 12;
const BROWSER_LIMIT_MS = 300_000;

const target = process.env.CARGO_TARGET_DIR ?? new URL("target", import.meta.url).pathname;
const modules = VARIANTS.map((variant) =>
  readFileSync(join(target, variant, "wasm32-unknown-unknown/release/browser.wasm")),
);

let failed = false;
function check(holds, what) {
  if (holds) return;
  console.log(`FAILED: ${what}`);
  failed = true;
}

/// A row of a table: milliseconds of all blocks, with and without vectors.
function row(name, milliseconds) {
  const cells = milliseconds.flatMap((ms) => {
    const block = ms / BLOCKS;
    return [`${((block / BLOCK) * 1e6).toFixed(0)}`, `${((100 * block) / QUANTUM_MS).toFixed(1)} %`];
  });
  console.log(`| ${[name, ...cells].join(" | ")} |`);
}

function head(place) {
  console.log(`\n| ${place} | simd128, ns a sample | of a quantum | without, ns a sample | of a quantum |`);
  console.log("|---|---|---|---|---|");
}

/// The least milliseconds of all blocks through a network, and the bits of the output.
function time(bytes, network, samples) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const input = new Float32Array(exports.memory.buffer, exports.input(), BLOCK);
  const output = new Float32Array(exports.memory.buffer, exports.output(), BLOCK);
  const all = new Float32Array(samples.length);
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    exports.start();
    const start = performance.now();
    for (let i = 0; i < samples.length; i += BLOCK) {
      input.set(samples.subarray(i, i + BLOCK));
      exports.process(network);
      all.set(output, i);
    }
    least = Math.min(least, performance.now() - start);
  }
  check(exports.environment(), "this thread does not compute as bptt promises");
  check(all.some((y) => y !== all[0]) && all.every(Number.isFinite), "no sound");
  return { ms: least, digest: digest(all) };
}

/// What the page posts.
async function inBrowser(browser) {
  const files = {
    "/": ["text/html", '<!doctype html><script type="module" src="page.mjs"></script>'],
    "/job": ["application/json", JSON.stringify({ blocks: BLOCKS, rounds: ROUNDS, variants: VARIANTS })],
  };
  for (const name of ["page.mjs", "networks.mjs", "worklet.js"])
    files[`/${name}`] = ["text/javascript", readFileSync(new URL(name, import.meta.url))];
  VARIANTS.forEach((variant, i) => (files[`/${variant}`] = ["application/wasm", modules[i]]));

  const profile = mkdtempSync(join(tmpdir(), "browser-"));
  let child, limit;
  const server = createServer();
  try {
    return await new Promise((resolve, reject) => {
      server.on("request", (request, response) => {
        if (request.method === "POST") {
          let body = "";
          request.on("data", (data) => (body += data));
          request.on("end", () => (response.end(), resolve(JSON.parse(body))));
          return;
        }
        const [type, content] = files[request.url] ?? [];
        response.writeHead(type ? 200 : 404, { "content-type": type ?? "text/plain" });
        response.end(content);
      });
      server.listen(0, "localhost", () => {
        const flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync " +
          "--disable-background-networking --disable-component-update";
        const url = `http://localhost:${server.address().port}/`;
        child = spawn(browser, [...flags.split(" "), `--user-data-dir=${profile}`, url], { stdio: "ignore" });
        child.on("error", reject);
        child.on("exit", (code) => reject(new Error(`${browser} ended with ${code}`)));
      });
      limit = setTimeout(() => reject(new Error("no answer from the browser")), BROWSER_LIMIT_MS);
    });
  } finally {
    clearTimeout(limit);
    server.close();
    server.closeAllConnections();
    if (child?.pid && child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } catch {
      // Processes of the browser that end late may still write there; it is a temporary folder.
    }
  }
}

console.log(`${cpus()[0].model}; one output a sample, output layer included`);
const samples = noise(BLOCKS);
const digests = [];
head(`Node.js ${process.versions.node}`);
NETWORKS.forEach((name, network) => {
  const found = modules.map((bytes) => time(bytes, network, samples));
  check(found[0].digest === found[1].digest, `${name}: other bits with vectors than without`);
  digests.push(found[0].digest);
  row(name, found.map(({ ms }) => ms));
});

if (process.argv[2]) {
  const { error, agent, least } = await inBrowser(process.argv[2]);
  if (error) throw new Error(error);
  head(`AudioWorklet, ${agent.match(/Chrom\w+\/[0-9]+/)?.[0] ?? agent}`);
  NETWORKS.forEach((name, network) => {
    const found = VARIANTS.map((variant) => least[`${name} ${variant}`]);
    found.forEach(({ digest, same, environment }, i) => {
      const where = `${name}, ${VARIANTS[i]}, in the worklet`;
      check(environment, `${where}: the thread does not compute as bptt promises`);
      check(same && digest === digests[network], `${where}: other bits than in Node.js`);
    });
    row(name, found.map(({ ms }) => ms));
  });
  row("no network", [least.through.ms, least.through.ms]);
} else {
  console.log("\nAudioWorklet: NOT RUN, no browser was named");
}
console.log(failed ? "\nnot all is as it should be" : "\nthe same bits everywhere");
process.exitCode = failed ? 1 : 0;
