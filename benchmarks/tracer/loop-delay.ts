// How late the host's event loop runs while it makes 5,000 spans a second: `[payload, store]`, asked for milliseconds.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { TraceStore } from "@spanloom/model";
import { createMemoryStore } from "@spanloom/store";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer } from "@spanloom/tracer";
import { plainCallbacks } from "./plain-runs.ts";
import { asked } from "./serve.ts";
import { ourCallbacks } from "./spanloom-runs.ts";
import { createExchanges, SPANS } from "./workload.ts";

/** In milliseconds. */
export interface LoopDelay {
  p50: number;
  p99: number;
  max: number;
  spansPerSecond: number;
  /** Spans that found no room, since the store took fewer than were made. */
  lost: number;
}

const SPANS_PER_SECOND = 5_000;
const RESOLUTION_MS = 1;
const WARM_UP_MS = 500;
const directory = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
const nextExchange = createExchanges(asked.payload);
const store = openStore(asked.variant);
const tracer = store && createWorkflowTracer({ store, flushOnExit: false });
const runOne = (): Promise<unknown> =>
  tracer === undefined ? plainCallbacks(nextExchange) : ourCallbacks(tracer, nextExchange);

let lostBefore = 0;
process.on("message", async (lengthMs: number) => {
  await runSteadily(WARM_UP_MS);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const executions = await runSteadily(lengthMs);
  histogram.disable();
  await tracer?.flush({ timeoutMs: 60_000 });
  const { accepted, stored } = tracer?.stats() ?? { accepted: 0, stored: 0 };
  const lost = accepted - stored - lostBefore;
  lostBefore += lost;
  // The histogram counts its own interval in.
  const late = (nanos: number): number => Math.max(0, nanos / 1e6 - RESOLUTION_MS);
  const answer: LoopDelay = {
    p50: late(histogram.percentile(50)),
    p99: late(histogram.percentile(99)),
    max: late(histogram.max),
    spansPerSecond: (executions * SPANS * 1_000) / lengthMs,
    lost,
  };
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
process.send?.("ready");

/** Executions evenly in time; what is due is begun whenever the loop comes by. */
async function runSteadily(lengthMs: number): Promise<number> {
  const started = performance.now();
  let executions = 0;
  const running: Promise<unknown>[] = [];
  for (let now = started; now - started < lengthMs; now = performance.now()) {
    const due = Math.floor(((now - started) / 1_000) * (SPANS_PER_SECOND / SPANS));
    for (; executions < due; executions++) running.push(runOne());
    await delay(1);
  }
  await Promise.all(running);
  return executions;
}

function openStore(name: string): TraceStore | undefined {
  if (name === "memory") return createMemoryStore();
  return name === "sqlite"
    ? createSqliteStore({ path: join(directory, "traces.db"), retention: false })
    : undefined;
}
