import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import { collectingSink } from "./sinks.test-support.ts";

test("a span that nobody ends gets an end that says so; the real one takes over when it comes", async () => {
  const sink = collectingSink();
  const ends: string[] = [];
  const events: string[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    spanTimeoutMs: 1_000,
    queue: { flushIntervalMs: 5 },
    onEvent: ({ type }) => void events.push(type),
    onExecutionEnd: ({ status }) => void ends.push(status),
  });
  const execution = tracer.startExecution({ workflowId: "w" });
  const node = execution.startNode({ id: "n" });
  await expect
    .poll(() => sink.writes.filter(({ syntheticEnd }) => syntheticEnd === "timed_out"), { timeout: 5_000 })
    .toHaveLength(2);
  const lost = sink.span("n");
  expect(lost).toMatchObject({ status: { code: "error", message: "No end within 1 s." } });
  expect(Number(BigInt(lost.endTime ?? 0) - BigInt(lost.startTime))).toBeGreaterThanOrEqual(1e9);
  // Nobody is told of an end that may still come.
  expect(ends).toEqual([]);
  expect(events).toEqual(["execution_started", "node_started"]);

  node.end({ output: "late" });
  execution.end();
  await tracer.flush();
  expect(sink.span("n")).toMatchObject({ output: { text: "late" }, status: { code: "unset" } });
  expect(sink.span("n").syntheticEnd).toBeUndefined();
  expect(sink.span("w").executionStatus).toBe("completed");
  expect(ends).toEqual(["completed"]);
  await tracer.shutdown();
});
