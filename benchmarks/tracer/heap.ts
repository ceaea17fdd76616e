// What the process holds after so many spans: `[payload, store]`, asked for a number of spans in all. Needs --expose-gc.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer } from "@spanloom/tracer";
import { asked } from "./serve.ts";
import { ourCallbacks } from "./spanloom-runs.ts";
import { createExchanges, SPANS } from "./workload.ts";

/** In bytes. */
export interface HeapUse {
  heapUsed: number;
  peakRss: number;
}

/** A host that made spans faster than its store takes them would fill the queue; this one waits. */
const EXECUTIONS_BETWEEN_FLUSHES = 100;
const directory = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
const store =
  asked.variant === "sqlite"
    ? createSqliteStore({ path: join(directory, "traces.db"), retention: false })
    : {
        write: (spans: readonly unknown[]) =>
          Promise.resolve({ written: spans.length, unchanged: 0, rejected: [] }),
      };
const tracer = createWorkflowTracer({ store, flushOnExit: false });
const nextExchange = createExchanges(asked.payload);
let executions = 0;

process.on("message", async (spans: number) => {
  for (; executions * SPANS < spans; executions++) {
    await ourCallbacks(tracer, nextExchange);
    if (executions % EXECUTIONS_BETWEEN_FLUSHES === 0) await tracer.flush({ timeoutMs: 60_000 });
  }
  await tracer.flush({ timeoutMs: 60_000 });
  await setImmediate();
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const { accepted, stored } = tracer.stats();
  if (stored !== accepted) {
    process.send?.(`${stored} of ${accepted} spans were stored`);
    return;
  }
  const answer: HeapUse = {
    heapUsed: process.memoryUsage().heapUsed,
    peakRss: process.resourceUsage().maxRSS * 1_024,
  };
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
process.send?.("ready");
