import { createMemoryStore } from "@spanloom/store";
import { expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "./create-workflow-tracer.ts";
import type { TracerEvent } from "./events.ts";
import { collectingSink } from "./sinks.test-support.ts";

function setUp(options: Partial<WorkflowTracerOptions> = {}) {
  const sink = collectingSink();
  const events: TracerEvent[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { sink, events, tracer };
}

test("agents, retrievers and embeddings have their kind, model and content, by callback and by hand", async () => {
  const { sink, tracer, events } = setUp();
  await tracer.execution({ workflowId: "w" }, async (execution) => {
    const documents = execution.retriever({ name: "handbook", input: "holidays" }, () => [{ page: 3 }]);
    expect(documents).toEqual([{ page: 3 }]);
    execution.embedding({ model: "text-embedding-3-small", provider: "openai", input: ["a"] }, (embedding) =>
      embedding.setUsage({ input: 4 }),
    );
    const agent = execution.startAgent({ name: "planner", model: "gpt-4.1-mini", provider: "openai" });
    agent.startRetriever({ name: "web" }).end();
    agent.startEmbedding({ model: "local" }).fail(new Error("no memory"));
    agent.end({ output: "a plan" });
  });
  await tracer.flush();
  expect(sink.span("handbook")).toMatchObject({
    kind: "retriever",
    input: { text: "holidays" },
    output: { json: [{ page: 3 }] },
  });
  expect(sink.span("text-embedding-3-small")).toMatchObject({
    kind: "embedding",
    provider: "openai",
    usage: { input: 4, total: 4 },
    cost: { source: "computed" },
  });
  const agent = sink.span("planner");
  expect(agent).toMatchObject({ kind: "agent", agent: "planner", model: "gpt-4.1-mini" });
  expect(sink.span("web")).toMatchObject({ kind: "retriever", parentSpanId: agent.spanId });
  expect(sink.span("local").status).toEqual({ code: "error", message: "no memory" });
  expect(events.map(({ type }) => type)).toEqual([
    "execution_started",
    "retriever_started",
    "retriever_ended",
    "embedding_started",
    "embedding_ended",
    "agent_started",
    "retriever_started",
    "retriever_ended",
    "embedding_started",
    "embedding_ended",
    "agent_ended",
    "execution_completed",
  ]);
  expect(events[4]).toMatchObject({ model: "text-embedding-3-small", usage: { input: 4 } });
  expect(events.every(({ traceId, spanId }) => traceId !== undefined && spanId !== undefined)).toBe(true);
});

test("a workflow inside another one stays in its trace and totals, and its nodes keep apart", async () => {
  const store = createMemoryStore();
  const { tracer, events } = setUp({ store });
  await tracer.execution({ workflowId: "outer", executionId: "e" }, async (execution) => {
    execution.node({ id: "judge" }, () => "outer judge");
    await execution.node({ id: "call" }, (node) =>
      node.workflow({ workflowId: "inner", workflowName: "Inner", input: { page: 1 } }, async (inner) => {
        inner.node({ id: "judge" }, (judge) =>
          judge.llm({ model: "gpt-4.1-mini", provider: "openai" }, (llm) => {
            llm.setUsage({ input: 100, output: 10 });
          }),
        );
        return "done";
      }),
    );
  });
  await tracer.flush();
  const reader = store.forScope("default");
  const [summary] = await reader.getExecutions(["e"]);
  expect(summary).toMatchObject({
    workflowId: "outer",
    status: "completed",
    spanCount: 6,
    usage: { input: 100 },
  });
  expect(summary?.traceIds).toHaveLength(1);
  const spans = (await reader.getTrace("e", { view: "full" }))?.spans ?? [];
  const inner = spans.find(({ name }) => name === "Inner");
  expect(inner).toMatchObject({
    kind: "workflow",
    nodeId: "call",
    workflowId: "inner",
    output: { text: "done" },
  });
  expect(
    spans
      .filter(({ name }) => name === "judge")
      .map(({ nodeId }) => nodeId)
      .toSorted(),
  ).toEqual(["call/judge", "judge"]);
  expect(events.filter(({ type }) => type.startsWith("execution_"))).toHaveLength(2);
});

test("a loop runs once for each item, some at once, and gives the results in order", async () => {
  const { sink, tracer } = setUp();
  let running = 0;
  let most = 0;
  const doubled = await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.loop({ name: "pages", items: [1, 2, 3, 4, 5], concurrency: 2 }, async (page, iteration) => {
      most = Math.max(most, ++running);
      await iteration.node({ id: "read" }, async () => new Promise((resolve) => setImmediate(resolve)));
      running--;
      return page * 2;
    }),
  );
  expect(doubled).toEqual([2, 4, 6, 8, 10]);
  expect(most).toBe(2);
  await tracer.flush();
  const loop = sink.span("pages");
  const iterations = sink.spans().filter(({ parentSpanId }) => parentSpanId === loop.spanId);
  expect(iterations.map(({ attributes }) => attributes["loop.iteration"])).toEqual([1, 2, 3, 4, 5]);
  const read = sink.spans().filter(({ nodeId }) => nodeId === "read");
  expect(new Set(read.map(({ parentSpanId }) => parentSpanId)).size).toBe(5);
});

test("a loop whose body fails starts no other item, and rejects with that very error", async () => {
  const { sink, tracer } = setUp();
  const fault = new Error("page 2");
  const run = tracer.execution({ workflowId: "w" }, (execution) =>
    execution.loop({ name: "pages", items: [1, 2, 3] }, (page) => {
      if (page === 2) throw fault;
      return page;
    }),
  );
  await expect(run).rejects.toBe(fault);
  await tracer.flush();
  expect(sink.spans().map(({ name }) => name)).not.toContain("iteration 3");
  expect(sink.span("pages").status.code).toBe("error");
});

test("parallel branches run side by side and give what each gave by its name", async () => {
  const { sink, tracer } = setUp();
  const order: string[] = [];
  const found = await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.parallel(
      { name: "research" },
      {
        web: async (branch) => {
          order.push("web starts");
          await branch.tool({ name: "search" }, async () => "hits");
          return 3;
        },
        files: () => {
          order.push("files starts");
          return "none";
        },
      },
    ),
  );
  expect(found).toEqual({ web: 3, files: "none" });
  expect(order).toEqual(["web starts", "files starts"]);
  await tracer.flush();
  expect(sink.span("search").parentSpanId).toBe(sink.span("web").spanId);
  expect(sink.span("files").parentSpanId).toBe(sink.span("research").spanId);
});

test("a branch that fails rejects at once, and the others are recorded to their own end", async () => {
  const { sink, tracer } = setUp();
  let finish: (() => void) | undefined;
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const fault = new Error("left");
  const run = tracer.execution({ workflowId: "w" }, (execution) =>
    execution.parallel(
      { name: "fork" },
      {
        left: () => {
          throw fault;
        },
        right: async () => slow,
      },
    ),
  );
  await expect(run).rejects.toBe(fault);
  finish?.();
  await slow;
  await tracer.flush();
  expect(sink.span("right").status.code).toBe("unset");
  expect(sink.span("right").endTime).toBeDefined();
});

test("retry records every try and the pauses between, and gives the first success", async () => {
  const { sink, tracer, events } = setUp();
  const failed: number[] = [];
  const result = await tracer.execution({ workflowId: "w" }, (execution) =>
    execution.retry(
      { id: "fetch", type: "http", attempts: 3, delayMs: (attempt) => attempt },
      async (node) => {
        if (node.attempt < 3) throw new Error(`try ${node.attempt}`);
        return "page";
      },
    ),
  );
  expect(result).toBe("page");
  await tracer.flush();
  const tries = sink.spans().filter(({ nodeId }) => nodeId === "fetch");
  expect(tries.map(({ attempt, nodeType, status }) => [attempt, nodeType, status.message])).toEqual([
    [1, "http", "try 1"],
    [2, "http", "try 2"],
    [3, "http", undefined],
  ]);
  expect(sink.span("w").events.map(({ attributes }) => attributes)).toEqual([
    { "node.id": "fetch", attempt: 2, delay_ms: 1 },
    { "node.id": "fetch", attempt: 3, delay_ms: 2 },
  ]);
  for (const event of events) if (event.type === "node_failed") failed.push(event.attempt);
  expect(failed).toEqual([1, 2]);
});

test("retry stops at its last attempt, at an error not worth it, and when the execution is cancelled", async () => {
  const { sink, tracer } = setUp();
  const fault = new Error("always");
  const count = async (options: { attempts: number; retryIf?: () => boolean }, signal?: AbortSignal) => {
    let tries = 0;
    const run = tracer.execution({ workflowId: "w", ...(signal && { signal }) }, (execution) =>
      execution.retry({ id: "n", delayMs: 60_000, ...options }, () => {
        tries++;
        throw fault;
      }),
    );
    return { tries: () => tries, run };
  };
  const once = await count({ attempts: 1 });
  await expect(once.run).rejects.toBe(fault);
  expect(once.tries()).toBe(1);
  const unwanted = await count({ attempts: 5, retryIf: () => false });
  await expect(unwanted.run).rejects.toBe(fault);
  expect(unwanted.tries()).toBe(1);
  const aborter = new AbortController();
  const cancelled = await count({ attempts: 5 }, aborter.signal);
  setImmediate(() => aborter.abort());
  await expect(cancelled.run).rejects.toThrow("aborted");
  expect(cancelled.tries()).toBe(1);
  await tracer.flush();
  const ends = sink.spans().map(({ executionStatus }) => executionStatus);
  expect(ends.filter(Boolean)).toEqual(["failed", "failed", "cancelled"]);
});

test("an aborted signal cancels whatever reason it carries; a time-out fails; a run that completes all the same completes", async () => {
  const { sink, tracer } = setUp();
  const stop = async (reason: unknown, name: string, ignore = false) => {
    const aborter = new AbortController();
    const run = tracer.execution({ workflowId: name, signal: aborter.signal }, (execution) =>
      execution.node({ id: `${name}-n` }, async (node) => {
        expect(node.signal).toBe(aborter.signal);
        aborter.abort(reason);
        await Promise.resolve();
        if (!ignore) node.signal?.throwIfAborted();
      }),
    );
    await run.catch(() => undefined);
  };
  await stop("a human said no", "text");
  await stop(new Error("own class"), "error");
  await stop(new DOMException("too late", "TimeoutError"), "late");
  await stop(undefined, "ignored", true);
  await tracer.flush();
  const status = (name: string) => sink.span(name).executionStatus;
  expect(["text", "error", "late", "ignored"].map(status)).toEqual([
    "cancelled",
    "cancelled",
    "failed",
    "completed",
  ]);
  expect(sink.span("text").events.map(({ name }) => name)).toContain("execution.cancel_requested");
  expect(sink.span("text-n").status.code).toBe("error");
});

test("while a human is waited for, the running execution is shown as waiting, and running again afterwards", async () => {
  const store = createMemoryStore();
  const { tracer } = setUp({ store });
  const reader = store.forScope("default");
  const status = async () => {
    await tracer.flush();
    return (await reader.getExecutions(["e"]))[0]?.status;
  };
  let answer: ((text: string) => void) | undefined;
  const asked = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const execution = tracer.startExecution({ workflowId: "w", executionId: "e" });
  const outer = execution.waitFor({ name: "approval", input: "May I?" }, () => asked);
  expect(await status()).toBe("waiting");
  const inner = execution.waitFor({ name: "second" }, async () => "at once");
  await inner;
  expect(await status()).toBe("waiting");
  answer?.("yes");
  expect(await outer).toBe("yes");
  expect(await status()).toBe("running");
  execution.end();
  expect(await status()).toBe("completed");
  const spans = (await reader.getTrace("e", { view: "full" }))?.spans ?? [];
  expect(spans.find(({ name }) => name === "approval")).toMatchObject({
    input: { text: "May I?" },
    output: { text: "yes" },
    attributes: { waiting: true },
  });
});

test("an execution that stops to wait goes on under its id, in a new trace that links back", async () => {
  const store = createMemoryStore();
  const { tracer, events } = setUp({ store });
  const point = tracer.startExecution({ workflowId: "w", threadId: "t" }).wait({ output: "May I?" });
  const kept = JSON.parse(JSON.stringify(point));
  tracer.execution({ workflowId: "w", threadId: "t", resumes: kept }, () => "done");
  await tracer.flush();
  const reader = store.forScope("default");
  const [summary] = await reader.getExecutions([point.executionId]);
  expect(summary).toMatchObject({ status: "completed", threadId: "t", spanCount: 2 });
  expect(summary?.traceIds).toHaveLength(2);
  const spans = (await reader.getTrace(point.executionId, { view: "full" }))?.spans ?? [];
  expect(spans.flatMap(({ links }) => links)).toMatchObject([
    { traceId: point.traceId, spanId: point.spanId, attributes: { "spanloom.link": "resumes" } },
  ]);
  expect(events.map((event) => [event.type, "resumed" in event])).toEqual([
    ["execution_started", false],
    ["execution_started", true],
    ["execution_completed", false],
  ]);
});

test("state, artifacts, caches, attributes, events and links of the host are kept as they were given", async () => {
  const { sink, tracer } = setUp();
  const cause = { traceId: "0af76519-16cd-43dd-8448-eb211c80319c", spanId: "b7ad6b7169203331" };
  tracer.execution({ workflowId: "w" }, (execution) =>
    execution.node({ id: "n" }, (node) => {
      node
        .setState({ before: { step: 1 }, after: { step: 2 } })
        .artifact({ artifactId: "a-1", name: "report.pdf", mediaType: "application/pdf", sizeBytes: 12 })
        .cache({ keyspace: "mcp:tree:*", hits: 1, misses: 0 })
        .cache({ keyspace: "mcp:tree:*", hits: 0, misses: 2 })
        .setAttributes({ tier: "gold", tags: ["a"] })
        .addEvent("chosen", { option: 2 })
        .addLink(cause, { why: "caused by" })
        .addLink({ traceId: "nonsense", spanId: "x" });
    }),
  );
  await tracer.flush();
  expect(sink.span("n")).toMatchObject({
    stateBefore: { json: { step: 1 } },
    stateAfter: { json: { step: 2 } },
    artifacts: [{ artifactId: "a-1", name: "report.pdf", mediaType: "application/pdf", sizeBytes: 12 }],
    cache: [{ keyspace: "mcp:tree:*", hits: 1, misses: 2 }],
    attributes: { tier: "gold", tags: ["a"] },
    events: [{ name: "chosen", attributes: { option: 2 } }],
  });
  expect(sink.span("n").links).toMatchObject([
    { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: cause.spanId, attributes: { why: "caused by" } },
  ]);
});

test("recording can be switched off for a scope and for one run, also while the process runs", async () => {
  const sink = collectingSink();
  const off = new Set<string>();
  const tracer = createWorkflowTracer({ store: sink, scope: "acme", enabled: (scope) => !off.has(scope) });
  const run = (workflowId: string, enabled?: boolean) =>
    tracer.execution({ workflowId, ...(enabled !== undefined && { enabled }) }, (execution) =>
      execution.node({ id: "n" }, (node) => node.traceId),
    );
  run("first");
  off.add("acme");
  expect(run("second")).toMatch(/^[0-9a-f]{32}$/);
  off.delete("acme");
  run("third");
  run("fourth", false);
  await tracer.flush();
  const recorded = sink.spans().map(({ workflowId }) => workflowId);
  expect([...new Set(recorded)]).toEqual(["first", "third"]);
});
