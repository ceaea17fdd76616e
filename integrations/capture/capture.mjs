// Captures the fixtures of the dialects from the real packages: `npm install && npm run capture`, or `npm run capture mastra`.
// Each runs in a process of its own, because instrumentations register themselves globally. Models answer on loopback.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const names = [
  "ai-sdk-7",
  "ai-sdk-6",
  "ai-sdk-5",
  "openinference",
  "traceloop",
  "traceloop-old",
  "langfuse",
  "mastra",
];
const asked = process.argv.slice(2);

for (const name of asked.length === 0 ? names : asked) {
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.mjs`)], {
    stdio: "inherit",
    timeout: 120_000,
  });
  if (status !== 0) process.exitCode = 1;
}
