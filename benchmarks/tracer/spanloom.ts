// Spanloom as a host uses it. Variants say how it is called and what stands behind it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SpanSink } from "@spanloom/model";
import { createSqliteStore } from "@spanloom/store/sqlite";
import { createWorkflowTracer, type WorkflowTracer } from "@spanloom/tracer";
import { createDiskSpool } from "@spanloom/tracer/durable";
import { asked, serve } from "./serve.ts";
import { ourCallbacks, ourSyncCallbacks, oursByHand } from "./spanloom-runs.ts";
import { createExchanges } from "./workload.ts";

const noStore: SpanSink = {
  write: (spans) => Promise.resolve({ written: spans.length, unchanged: 0, rejected: [] }),
};
const directory = mkdtempSync(join(tmpdir(), "spanloom-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const tracer = createTracer(asked.variant);
const nextExchange = createExchanges(asked.payload);
const run = { sync: ourSyncCallbacks, "by-hand": oursByHand }[asked.variant] ?? ourCallbacks;
serve({
  run: () => run(tracer, nextExchange),
  flush: () => tracer.flush({ timeoutMs: 60_000 }),
  delivered: () => {
    const { stored, otlp } = tracer.stats();
    return Math.min(stored, otlp?.stored ?? stored);
  },
});

function createTracer(variant: string): WorkflowTracer {
  const base = { store: noStore, flushOnExit: false };
  switch (variant) {
    case "no-redaction":
      return createWorkflowTracer({ ...base, redaction: false });
    case "batched":
    case "immediate":
      return createWorkflowTracer({ ...base, durability: createDiskSpool({ directory, mode: variant }) });
    case "sqlite":
    case "sqlite-otlp": {
      const store = createSqliteStore({ path: join(directory, "traces.db"), retention: false });
      const url = process.env.BENCH_COLLECTOR;
      const otlp = variant === "sqlite-otlp" && url !== undefined ? { url } : false;
      return createWorkflowTracer({ ...base, store, otlp });
    }
    default:
      return createWorkflowTracer(base);
  }
}
