import { recordProblem } from "@spanloom/model";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import type { TracerEvent } from "./events.ts";
import type { ExecutionEnd } from "./execution-ends.ts";
import { collectingSink } from "./sinks.test-support.ts";

test("an execution, its node, model call and tool reach the sink as one tree with usage, cost and content", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink, serviceName: "billing", environment: "test" });

  const answer = await tracer.execution(
    { workflowId: "invoice-review", workflowName: "Invoice review", threadId: "t-1", input: { invoice: 7 } },
    (execution) =>
      execution.node({ id: "extract", type: "agent", attempt: 2 }, async (node) => {
        node.setAttributes({ pages: 3, tags: ["a", "b"] });
        const total = node.tool({ name: "sum", input: { a: 1, b: 2 } }, () => 3);
        return node.llm(
          { model: "gpt-4.1-mini", provider: "openai", input: [{ role: "user", content: "Total?" }] },
          async (llm) => {
            llm.firstToken().setUsage({ input: 1000, output: 200 }).setFinishReasons(["stop"]);
            return `The total is ${total}.`;
          },
        );
      }),
  );

  expect(answer).toBe("The total is 3.");
  expect(await tracer.flush()).toBe(true);
  expect(sink.spans().map(recordProblem)).toEqual([undefined, undefined, undefined, undefined]);
  const [root, node, llm, tool] = ["Invoice review", "extract", "gpt-4.1-mini", "sum"].map(sink.span);
  expect(root).toMatchObject({
    kind: "workflow",
    executionStatus: "completed",
    workflowId: "invoice-review",
    threadId: "t-1",
    input: { format: "json", json: { invoice: 7 } },
    output: { format: "text", text: "The total is 3." },
    resource: { attributes: { "service.name": "billing", "deployment.environment.name": "test" } },
  });
  expect(root?.parentSpanId).toBeUndefined();
  expect(node).toMatchObject({
    parentSpanId: root?.spanId,
    kind: "node",
    nodeId: "extract",
    nodeType: "agent",
    attempt: 2,
    attributes: { pages: 3, tags: ["a", "b"] },
  });
  expect(llm).toMatchObject({
    parentSpanId: node?.spanId,
    kind: "llm",
    otelKind: "client",
    nodeId: "extract",
    attempt: 2,
    model: "gpt-4.1-mini",
    provider: "openai",
    usage: { input: 1000, output: 200 },
    cost: { nanoUsd: 720_000, source: "computed" },
    finishReasons: ["stop"],
    input: { format: "messages", messages: [{ role: "user", parts: [{ type: "text", content: "Total?" }] }] },
    output: { format: "text", text: "The total is 3." },
  });
  expect(llm?.firstTokenTime).toBeDefined();
  expect(tool).toMatchObject({ parentSpanId: node?.spanId, nodeId: "extract", output: { json: 3 } });
  expect(new Set(sink.spans().map(({ executionId }) => executionId)).size).toBe(1);
  expect(tracer.stats()).toEqual({
    accepted: 4,
    recovered: 0,
    stored: 4,
    merged: 0,
    queued: 0,
    spilled: 0,
    deadLettered: 0,
    dropped: {},
  });
});

test("what a callback throws comes out as it was thrown, and the span says why it failed", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const fault = new TypeError("no such invoice");
  const run = tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, async () => {
      throw fault;
    }),
  );
  await expect(run).rejects.toBe(fault);
  expect(() =>
    tracer.execution({ workflowId: "sync" }, () => {
      throw fault;
    }),
  ).toThrow(fault);
  await tracer.flush();
  expect(sink.span("n")).toMatchObject({ status: { code: "error", message: "no such invoice" } });
  expect(sink.span("n").events).toMatchObject([
    {
      name: "exception",
      attributes: { "exception.type": "TypeError", "exception.message": "no such invoice" },
    },
  ]);
  expect(sink.span("w").executionStatus).toBe("failed");
  expect(sink.span("sync").executionStatus).toBe("failed");
});

test("results come out untouched: the very promise, a sync value, and a lazy builder that must not run twice", async () => {
  const tracer = createWorkflowTracer({ store: collectingSink() });
  const promise = Promise.resolve({ deep: true });
  expect(tracer.execution({ workflowId: "w" }, () => promise)).toBe(promise);
  let queries = 0;
  const builder = {
    // biome-ignore lint/suspicious/noThenProperty: query builders are like this
    then(resolve: (value: string) => void) {
      queries++;
      resolve("row");
    },
  };
  const same = tracer.execution({ workflowId: "w" }, () => builder);
  expect(same).toBe(builder);
  expect(await same).toBe("row");
  expect(queries).toBe(1);
});

test("an AbortError ends the execution as cancelled", async () => {
  const sink = collectingSink();
  const events: TracerEvent[] = [];
  const tracer = createWorkflowTracer({ store: sink, onEvent: (event) => void events.push(event) });
  const aborter = new AbortController();
  aborter.abort();
  const run = tracer.execution({ workflowId: "w" }, async () => aborter.signal.throwIfAborted());
  await expect(run).rejects.toThrow("aborted");
  await tracer.flush();
  expect(sink.span("w").executionStatus).toBe("cancelled");
  expect(events.map(({ type }) => type)).toEqual(["execution_started", "execution_cancelled"]);
});

test("by hand: spans overlap, end in any order, and only their first end counts", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const execution = tracer.startExecution({ workflowId: "manual", executionId: "run-7" });
  const left = execution.startNode({ id: "left" });
  const right = execution.startNode({ id: "right" });
  const llm = left.startLlm({ model: "local" });
  left.end({ output: "done" });
  llm.setUsage({ input: 5, output: 1 }).end();
  right.fail(new Error("first"));
  right.fail(new Error("second"));
  right.end();
  execution.end();
  execution.cancel();
  await tracer.flush();
  expect(sink.span("right").status.message).toBe("first");
  expect(sink.span("left").output).toMatchObject({ text: "done" });
  expect(sink.span("local").nodeId).toBe("left");
  expect(sink.spans().every(({ executionId }) => executionId === "run-7")).toBe(true);
  expect(sink.span("manual").executionStatus).toBe("completed");
});

test("events come in order, with a UUIDv4 trace id and a span id of their own for each node", async () => {
  const events: TracerEvent[] = [];
  const tracer = createWorkflowTracer({
    store: collectingSink(),
    onEvent: (event) => void events.push(event),
  });
  await tracer
    .execution({ workflowId: "w" }, async (execution) => {
      await execution.node({ id: "a" }, async (node) => {
        node.llm(
          { model: "gpt-4.1-mini", provider: "openai" },
          (llm) => void llm.setUsage({ input: 10, output: 1 }),
        );
      });
      await execution.node({ id: "b" }, async () => {
        throw new Error("b failed");
      });
    })
    .catch(() => undefined);
  await tracer.flush();
  expect(events.map(({ type }) => type)).toEqual([
    "execution_started",
    "node_started",
    "llm_started",
    "llm_ended",
    "node_completed",
    "node_started",
    "node_failed",
    "execution_failed",
  ]);
  expect(events[0]?.traceId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(events.map(({ traceId }) => traceId)).size).toBe(1);
  const nodes = events.filter((event) => event.type === "node_started");
  expect(new Set(nodes.map(({ spanId }) => spanId)).size).toBe(2);
  expect(events[6]).toMatchObject({ nodeId: "b", attempt: 1, error: { type: "Error", message: "b failed" } });
});

test("onExecutionEnd has ids and totals, with a parent's repeated usage counted once", async () => {
  const ends: ExecutionEnd[] = [];
  const tracer = createWorkflowTracer({
    store: collectingSink(),
    onExecutionEnd: (end) => void ends.push(end),
  });
  const execution = tracer.startExecution({ workflowId: "w" });
  execution.span({ kind: "agent", name: "planner" }, (agent) => {
    agent.llm(
      { model: "gpt-4.1-mini", provider: "openai" },
      (llm) => void llm.setUsage({ input: 1000, output: 200 }),
    );
    agent.setUsage({ input: 1000, output: 200 });
  });
  execution.end();
  await tracer.flush();
  expect(ends).toMatchObject([
    {
      traceId: execution.traceUuid,
      rootSpanId: execution.spanId,
      status: "completed",
      spanCount: 3,
      errorCount: 0,
      usage: { input: 1000, output: 200, total: 1200, items: 1 },
      cost: { nanoUsd: 720_000, priced: 1, unpriced: 0 },
    },
  ]);
});

test("a slow or throwing listener harms neither the workflow nor later events", async () => {
  const heard: string[] = [];
  const problems: string[] = [];
  const tracer = createWorkflowTracer({
    store: collectingSink(),
    onProblem: ({ where }) => void problems.push(where),
    onEvent: async ({ type }) => {
      heard.push(type);
      if (type === "execution_started") throw new Error("listener");
    },
    onExecutionEnd: () => {
      throw new Error("listener");
    },
  });
  expect(tracer.execution({ workflowId: "w" }, () => 1)).toBe(1);
  expect(heard).toEqual([]);
  await tracer.flush();
  expect(heard).toEqual(["execution_started", "execution_completed"]);
  expect(problems.toSorted()).toEqual(["onEvent", "onExecutionEnd"]);
});

test("a disabled tracer runs the host's code and keeps nothing", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink, enabled: false });
  expect(tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, () => 2))).toBe(2);
  await tracer.flush();
  expect(sink.writes).toEqual([]);
});

test("bad ids and figures are mended or left out, and reported; the record stays one that stores accept", async () => {
  const sink = collectingSink();
  const problems: string[] = [];
  const tracer = createWorkflowTracer({ store: sink, onProblem: ({ where }) => void problems.push(where) });
  const execution = tracer.startExecution({ workflowId: "", executionId: "x".repeat(300) });
  const node = execution.startNode({ id: ".." });
  node.startLlm({ model: "m" }).setUsage({ input: -1, output: 2.5, total: 3 }).setCost(Number.NaN).end();
  node.end();
  execution.end();
  await tracer.flush();
  expect(sink.spans().map(recordProblem)).toEqual([undefined, undefined, undefined]);
  expect(sink.span("m").usage).toEqual({ total: 3 });
  expect(sink.span("m").cost).toBeUndefined();
  expect(new Set(problems)).toEqual(new Set(["workflow", "execution", "node", "setUsage", "setCost"]));
});

test("options that cannot work are refused with what to do", () => {
  // @ts-expect-error a store is required
  expect(() => createWorkflowTracer({})).toThrow(/no `store`.*createMemoryStore/);
  expect(() => createWorkflowTracer({ store: collectingSink(), otlp: { url: "localhost:4318" } })).toThrow(
    /v1\/traces/,
  );
});
