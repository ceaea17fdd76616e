import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SpanSink } from "@spanloom/model";
import { createMemoryStore } from "@spanloom/store";
import { expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracer } from "../create-workflow-tracer.ts";
import { createDiskSpool } from "../durable/index.ts";
import { expectToReconcile } from "../durable/outage.test-support.ts";

/** A store that fails in every way it can, in turn with answering, until it is well. */
function fickleStore() {
  const store = createMemoryStore().forScope("default");
  const state = { well: false };
  let writes = 0;
  const sink: SpanSink = {
    async write(spans) {
      const turn = state.well ? 0 : writes++ % 7;
      if (turn === 1) throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
      if (turn === 3) throw new Error("what nobody knows");
      // Longer than anybody waits for it.
      if (turn === 4) await pause(60);
      const receipt = await store.write(spans);
      if (turn === 6) throw new Error("the answer was lost");
      return receipt;
    },
  };
  return { store, state, sink: Object.assign(sink, { deleteExecution: store.deleteExecution.bind(store) }) };
}

test.each([
  ["in memory", undefined],
  ["on the disk, batched", "batched"],
  ["on the disk, immediate", "immediate"],
] as const)(
  "%s: each execution that nobody deleted is whole in the end, and the counters always reconcile",
  async (_where, mode) => {
    const directory = mkdtempSync(join(tmpdir(), "spanloom-fault-"));
    const { store, state, sink } = fickleStore();
    const tracer = createWorkflowTracer({
      store: sink,
      ...(mode && { durability: createDiskSpool({ directory, mode, fsync: "never" }) }),
      queue: { flushIntervalMs: 2, writeTimeoutMs: 40, ...(mode && { maxBytes: 60_000 }) },
      onProblem: () => undefined,
    });
    try {
      const deleted = new Set<string>();
      for (let run = 0; run < 60; run++) {
        const executionId = `run ${run}`;
        record(tracer, executionId);
        expectToReconcile(tracer.stats());
        if (run % 3 === 0) await pause(5);
        expectToReconcile(tracer.stats());
        // Of a run whose records may stand anywhere by now.
        if (run % 10 !== 9) continue;
        deleted.add(executionId);
        await tracer.deleteExecution(executionId);
        expectToReconcile(tracer.stats());
      }
      state.well = true;
      await expect.poll(() => tracer.flush(), { timeout: 20_000 }).toBe(true);
      expectToReconcile(tracer.stats());
      expect(tracer.stats()).toMatchObject({ queued: 0, spilled: 0, deadLettered: 0 });
      for (let run = 0; run < 60; run++) {
        const found = await store.getExecution(`run ${run}`);
        if (!deleted.has(`run ${run}`)) expect(found).toMatchObject({ spanCount: 5, status: "completed" });
      }
    } finally {
      await tracer.shutdown();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

function record(tracer: WorkflowTracer, executionId: string): void {
  tracer.execution({ workflowId: "w", executionId }, (execution) => {
    for (const id of "abcd") execution.node({ id, input: "x".repeat(1_000) }, () => undefined);
  });
}
