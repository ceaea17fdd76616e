import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import type { TracerEvent } from "./events.ts";
import type { Problem } from "./problems.ts";
import { collectingSink } from "./sinks.test-support.ts";

function setUp(onEvent: (event: TracerEvent) => void | Promise<void>) {
  const problems: Problem[] = [];
  const sink = collectingSink();
  const tracer = createWorkflowTracer({
    store: sink,
    onEvent,
    onProblem: (problem) => void problems.push(problem),
  });
  const nodes = (count: number): void => {
    tracer.execution({ workflowId: "w" }, (execution) => {
      for (let index = 0; index < count; index++) execution.node({ id: `n${index}` }, () => index);
    });
  };
  return { tracer, sink, nodes, problems };
}

test("parallel nodes: every start comes before its end, and the execution's events stand around all of them", async () => {
  const events: TracerEvent[] = [];
  const { tracer } = setUp((event) => void events.push(event));
  await tracer.execution({ workflowId: "w" }, (execution) =>
    Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        execution.node({ id: `n${index}` }, () => new Promise((resolve) => setTimeout(resolve, index % 3))),
      ),
    ),
  );
  await tracer.flush();
  expect(events.at(0)?.type).toBe("execution_started");
  expect(events.at(-1)?.type).toBe("execution_completed");
  const started = new Set<string>();
  for (const event of events) {
    if (event.type === "node_started") started.add(event.spanId ?? "");
    if (event.type === "node_completed") expect(started).toContain(event.spanId);
  }
  expect(started.size).toBe(20);
  const times = events.map(({ time }) => time);
  expect(times).toEqual(times.toSorted());
});

test("a consumer that never comes back: the run is the same, spans are stored, and what it missed is counted", async () => {
  const { tracer, sink, nodes, problems } = setUp(() => new Promise(() => undefined));
  nodes(6_000);
  expect(await tracer.flush({ timeoutMs: 500 })).toBe(false);
  expect(sink.spans()).toHaveLength(6_001);
  expect(tracer.stats()).toMatchObject({ queued: 0, stored: 6_001 });
  // 12,002 events: 10,000 may wait.
  expect(tracer.stats().events).toEqual({
    emitted: 12_002,
    delivered: 0,
    failed: 0,
    waiting: 10_000,
    dropped: 2_002,
  });
  expect(problems).toMatchObject([{ code: "callback_failed", where: "onEvent" }]);
});

test("a consumer that always throws gets every event all the same, and the counters say so", async () => {
  let calls = 0;
  const { tracer, nodes } = setUp(() => {
    calls++;
    throw new Error("listener");
  });
  nodes(10);
  expect(await tracer.flush()).toBe(true);
  expect(calls).toBe(22);
  expect(tracer.stats().events).toEqual({ emitted: 22, delivered: 0, failed: 22, waiting: 0, dropped: 0 });
});

test("a consumer that computes for long lets timers have their turn between events", async () => {
  let turns = 0;
  const { tracer, nodes } = setUp(() => {
    const until = performance.now() + 3;
    while (performance.now() < until);
  });
  const timer = setInterval(() => turns++, 1);
  nodes(20);
  await tracer.flush();
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});

test("an event that is caused while the last one is taken does not wait for a later one", async () => {
  const seen: string[] = [];
  const { tracer, nodes } = setUp(async ({ type }) => {
    seen.push(type);
    if (type === "execution_completed" && seen.length < 4) {
      await Promise.resolve();
      queueMicrotask(() => nodes(0));
    }
  });
  nodes(0);
  await expect.poll(() => seen.length).toBe(4);
  expect(tracer.stats().events).toMatchObject({ emitted: 4, waiting: 0 });
});
