import { createMemoryStore } from "@spanloom/store";
import { describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracer } from "./create-workflow-tracer.ts";

function setUp(keepDetail: number | undefined) {
  const stores = createMemoryStore();
  const tracer = createWorkflowTracer({
    store: stores,
    ...(keepDetail !== undefined && { sampling: { keepDetail } }),
  });
  const store = stores.forScope("default");
  const spansOf = async (executionId: string) => {
    await tracer.flush();
    return (await store.getTrace(executionId, { view: "full" }))?.spans ?? [];
  };
  return { tracer, store, spansOf };
}

function run(tracer: WorkflowTracer, executionId: string, fault?: Error, flushed?: () => Promise<unknown>) {
  return tracer.execution({ workflowId: "w", executionId, input: "question" }, async (execution) => {
    await execution
      .node({ id: "flaky", attributes: { tier: "gold" } }, () => Promise.reject(new Error("once")))
      .catch(() => undefined);
    await execution.node({ id: "n", attributes: { tier: "gold" } }, (node) => {
      node.addEvent("chosen").artifact({ artifactId: "a", name: "a.pdf" });
      return node.llm({ model: "gpt-4.1-mini", provider: "openai", input: "prompt" }, async (llm) => {
        llm.setUsage({ input: 1000, output: 200 });
        return "answer";
      });
    });
    await flushed?.();
    if (fault !== undefined) throw fault;
    return "done";
  });
}

describe("detail that sampling drops", () => {
  for (const [when, flushes] of [
    ["still waits", false],
    ["is in the store already", true],
  ] as const) {
    test(`is gone when it ${when}; every span, time, status, usage and cost is the same as without sampling`, async () => {
      const sampled = setUp(0);
      const whole = setUp(undefined);
      for (const { tracer } of [sampled, whole])
        await run(tracer, "e", undefined, flushes ? () => tracer.flush() : undefined);
      const spans = await sampled.spansOf("e");
      const all = await whole.spansOf("e");
      expect(spans.map(({ name, kind }) => [name, kind])).toEqual(all.map(({ name, kind }) => [name, kind]));
      const sums = async ({ store }: typeof whole) => {
        const { usage, cost, spanCount, errorCount, status } = (await store.getExecutions(["e"]))[0] ?? {};
        return { usage, cost, spanCount, errorCount, status };
      };
      expect(await sums(sampled)).toEqual(await sums(whole));
      expect((await sums(sampled)).cost).toMatchObject({ nanoUsd: 720_000 });
      const llm = spans.find(({ kind }) => kind === "llm");
      expect(llm).toMatchObject({
        usage: { input: 1000, output: 200 },
        input: { state: "not_captured", reason: "sampling" },
        output: { state: "not_captured", reason: "sampling" },
      });
      const node = spans.find(({ name }) => name === "n");
      expect(node).toMatchObject({
        attributes: {},
        events: [],
        dropped: { attributes: 1, events: 1 },
        artifacts: [{ artifactId: "a" }],
      });
      expect(JSON.stringify(spans)).not.toMatch(/question|prompt|answer|done/);
      // What failed on the way keeps what it has.
      const flaky = spans.find(({ name }) => name === "flaky");
      expect(flaky?.attributes).toEqual({ tier: "gold" });
      expect(flaky?.events).toHaveLength(1);
    });
  }
});

test("executions that failed, were cancelled or wait keep everything", async () => {
  const { tracer, spansOf } = setUp(0);
  await run(tracer, "failed", new Error("at last")).catch(() => undefined);
  await run(tracer, "cancelled", new DOMException("stop", "AbortError")).catch(() => undefined);
  const waiting = tracer.startExecution({ workflowId: "w", executionId: "waiting", input: "question" });
  waiting.wait();
  for (const id of ["failed", "cancelled", "waiting"]) {
    const spans = await spansOf(id);
    expect(spans.find(({ kind }) => kind === "workflow")?.input).toMatchObject({ text: "question" });
  }
});

test("the share that is kept is the share that was asked for", async () => {
  const { tracer, store } = setUp(0.25);
  for (let index = 0; index < 400; index++)
    tracer.execution({ workflowId: "w", executionId: `e${index}`, input: "question" }, () => 1);
  await tracer.flush();
  let kept = 0;
  for (let index = 0; index < 400; index++) {
    const [root] = (await store.getTrace(`e${index}`, { view: "full" }))?.spans ?? [];
    if (root?.input?.state === "captured") kept++;
  }
  // Six standard deviations around 100.
  expect(kept).toBeGreaterThan(48);
  expect(kept).toBeLessThan(152);
});

test("a share that is none is refused", () => {
  for (const keepDetail of [-0.1, 1.5, Number.NaN])
    expect(() => createWorkflowTracer({ store: createMemoryStore(), sampling: { keepDetail } })).toThrow(
      /keepDetail.*0 to 1/s,
    );
});
