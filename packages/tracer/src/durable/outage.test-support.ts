import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import type { DeliveryStats } from "../deliver/counters.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { freePort, startCollector, takenIn } from "./collector.test-support.ts";
import { createDiskSpool } from "./disk-spool.ts";

export function expectToReconcile(stats: DeliveryStats | undefined): void {
  expect(stats).toBeDefined();
  if (stats === undefined) return;
  const { accepted, stored, merged, queued, spilled, deadLettered, dropped } = stats;
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  expect(stored + merged + queued + spilled + deadLettered + lost).toBe(accepted);
}

/**
 * A collector process that takes spans, is killed for so long while the host goes on, and comes back: by themselves all
 * spans reach it, the store never misses one, and no workflow's result changes.
 */
export async function surviveOutage(outageMs: number): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "spanloom-outage-"));
  const file = join(home, "posts");
  const port = await freePort();
  let collector = await startCollector(port, file, [{ answer: "take" }]);
  const store = collectingSink();
  const tracer = createWorkflowTracer({
    store,
    otlp: { url: `http://127.0.0.1:${port}/v1/traces` },
    durability: createDiskSpool({ directory: join(home, "spool") }),
    // Less than the outage brings.
    queue: { maxBytes: 200_000 },
    onProblem: () => undefined,
  });
  const spanIds = new Set<string>();
  const run = (): void => {
    const result = tracer.execution({ workflowId: "w" }, (execution) => {
      spanIds.add(execution.spanId);
      return execution.node({ id: "n", input: "x".repeat(500) }, (node) => {
        spanIds.add(node.spanId);
        return 42;
      });
    });
    expect(result).toBe(42);
  };
  try {
    run();
    expect(await tracer.flush()).toBe(true);
    await collector.kill();
    const end = performance.now() + outageMs;
    while (performance.now() < end) {
      for (let index = 0; index < 20; index++) run();
      expectToReconcile(tracer.stats().otlp);
      await setTimeout(outageMs / 50);
    }
    await expect.poll(() => tracer.stats().otlp?.queued, { timeout: 5_000 }).toBe(0);
    expect(tracer.stats()).toMatchObject({ dropped: {}, otlp: { dropped: {}, spilled: spanIds.size - 2 } });
    collector = await startCollector(port, file, [{ answer: "take" }]);
    await expect.poll(() => tracer.stats().otlp?.spilled, { timeout: 60_000 }).toBe(0);
    expect(tracer.stats().otlp).toMatchObject({ accepted: spanIds.size, stored: spanIds.size, dropped: {} });
    expect(new Set(takenIn(file))).toEqual(spanIds);
    expect(await tracer.flush()).toBe(true);
    expect(store.spans()).toHaveLength(spanIds.size);
  } finally {
    await tracer.shutdown({ timeoutMs: 0 });
    await collector.kill();
    rmSync(home, { recursive: true, force: true });
  }
}
