import { existsSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SpanloomError, type SpanRecord, type SpanSink } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "./create-workflow-tracer.ts";
import { traceLangGraph } from "./engines/langgraph.ts";
import { LocalModel } from "./engines/local-model.test-support.ts";
import type { Problem } from "./problems.ts";
import { collectingSink } from "./sinks.test-support.ts";

const State = Annotation.Root({
  question: Annotation<string>(),
  notes: Annotation<string[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

/** A real graph: two nodes in parallel, one of which asks a model, then a third. */
function graph() {
  const model = new LocalModel(["yes"]);
  return new StateGraph(State)
    .addNode("ask", async ({ question }) => ({ notes: [String((await model.invoke(question)).content)] }))
    .addNode("look", async () => ({ notes: ["looked"] }))
    .addNode("sum", async ({ notes }) => ({ notes: [`${notes.length} notes`] }))
    .addEdge(START, "ask")
    .addEdge(START, "look")
    .addEdge("ask", "sum")
    .addEdge("look", "sum")
    .addEdge("sum", END)
    .compile();
}

function setUp(sink: SpanSink, options: Partial<WorkflowTracerOptions> = {}) {
  const problems: Problem[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    onProblem: (problem) => void problems.push(problem),
    queue: { flushIntervalMs: 1, writeTimeoutMs: 50 },
    ...options,
  });
  const run = () => traceLangGraph(graph(), tracer, { workflowId: "review" }).invoke({ question: "?" });
  return { problems, tracer, run };
}

function throwingSink(): SpanSink {
  return {
    write() {
      throw new Error("store is broken");
    },
  };
}

function hangingSink(): SpanSink {
  return { write: () => new Promise(() => undefined) };
}

/** Linux gives every program a device that is always full. Elsewhere an error of the same code stands in for it. */
function fullDiskSink(): SpanSink {
  return {
    async write(spans) {
      if (!existsSync("/dev/full"))
        throw Object.assign(new Error("no space left on device, write"), { code: "ENOSPC" });
      await appendFile("/dev/full", spans.map((span) => JSON.stringify(span)).join("\n"));
      return { written: spans.length, unchanged: 0, rejected: [] };
    },
  };
}

describe("a LangGraph run gives the same result, and the problem is reported, when the store", () => {
  const faults: [string, () => SpanSink, (cause: unknown) => void][] = [
    [
      "throws on every write",
      throwingSink,
      (cause) => expect(cause).toMatchObject({ message: "store is broken" }),
    ],
    ["never answers", hangingSink, (cause) => expect(cause).toMatchObject({ code: "timed_out" })],
    ["has a full disk", fullDiskSink, (cause) => expect(cause).toMatchObject({ code: "ENOSPC" })],
  ];
  for (const [fault, sink, check] of faults) {
    test(fault, async () => {
      const { problems, tracer, run } = setUp(sink());
      expect(await run()).toEqual(await graph().invoke({ question: "?" }));
      expect(await tracer.flush({ timeoutMs: 300 })).toBe(false);
      const [problem] = problems;
      expect(problem).toMatchObject({ code: "delivery_failed", where: "store" });
      check(problem?.cause);
      const { accepted, stored, merged, queued, dropped } = tracer.stats();
      expect({ stored, dropped }).toEqual({ stored: 0, dropped: {} });
      expect(accepted).toBe(merged + queued);
      expect(queued).toBe(5);

      expect(await tracer.shutdown({ timeoutMs: 10 })).toBe(false);
      await expect.poll(() => tracer.stats()).toMatchObject({ queued: 0, dropped: { shutdown: 5 } });
      expect(problems.at(-1)?.code).toBe("spans_dropped");
    });
  }
});

test("a store that comes back gets everything, each span once", async () => {
  const store = collectingSink();
  let down = true;
  const sink: SpanSink = {
    write: (spans) => (down ? Promise.reject(new Error("down")) : store.write(spans)),
  };
  const { tracer, run, problems } = setUp(sink);
  await run();
  expect(await tracer.flush({ timeoutMs: 120 })).toBe(false);
  down = false;
  expect(await tracer.flush()).toBe(true);
  expect(store.spans()).toHaveLength(5);
  expect(tracer.stats()).toMatchObject({ stored: 5, queued: 0, dropped: {} });
  expect(problems).toHaveLength(1);
});

test("one record that the store cannot take is set apart; the others are stored", async () => {
  const store = collectingSink();
  const sink: SpanSink = {
    write: (spans) =>
      spans.some(({ name }) => name === "poison") ? Promise.reject(new Error("bad row")) : store.write(spans),
  };
  const { tracer, problems } = setUp(sink);
  tracer.execution({ workflowId: "w" }, (execution) => {
    for (const id of ["a", "b", "poison", "c", "d"]) execution.node({ id }, () => undefined);
  });
  expect(await tracer.flush()).toBe(true);
  expect(
    store
      .spans()
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(["a", "b", "c", "d", "w"]);
  expect(tracer.stats()).toEqual({ accepted: 6, stored: 5, merged: 0, queued: 0, dropped: { rejected: 1 } });
  expect(problems.map(({ code }) => code)).toEqual(["delivery_failed", "spans_dropped"]);
});

test("records that a store refuses by name are counted, and not sent again", async () => {
  let writes = 0;
  const { tracer } = setUp({
    async write(spans) {
      writes++;
      return {
        written: spans.length - 1,
        unchanged: 0,
        rejected: [{ index: 0, code: "limit_exceeded", message: "too many spans" }],
      };
    },
  });
  tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, () => undefined));
  expect(await tracer.flush()).toBe(true);
  expect(writes).toBe(1);
  expect(tracer.stats()).toMatchObject({ stored: 1, dropped: { rejected: 1 } });
});

test("waiting spans are bounded in bytes; what does not fit is counted by reason", async () => {
  const { tracer, problems } = setUp(hangingSink(), { queue: { maxBytes: 20_000, flushIntervalMs: 60_000 } });
  tracer.execution({ workflowId: "w" }, (execution) => {
    execution.node({ id: "huge", input: "x".repeat(30_000) }, () => undefined);
    for (let index = 0; index < 50; index++) execution.node({ id: `n${index}` }, () => undefined);
  });
  const { accepted, queued, dropped } = tracer.stats();
  expect(accepted).toBe(52);
  expect(dropped.too_large).toBe(1);
  expect(dropped.queue_full).toBeGreaterThan(20);
  expect(accepted).toBe(queued + (dropped.queue_full ?? 0) + 1);
  expect(problems.filter(({ code }) => code === "spans_dropped")).toHaveLength(1);
});

test("a queue that is full of steps has room for the end of their execution", async () => {
  const { tracer } = setUp(hangingSink(), { queue: { maxBytes: 20_000, flushIntervalMs: 60_000 } });
  const execution = tracer.startExecution({ workflowId: "w" });
  for (let index = 0; index < 50; index++) execution.node({ id: `n${index}` }, () => undefined);
  const full = tracer.stats().dropped.queue_full;
  execution.end();
  expect(full).toBeGreaterThan(20);
  expect(tracer.stats().dropped.queue_full).toBe(full);
});

test("a store that refuses whole batches by code is asked about each half at once", async () => {
  const store = collectingSink();
  const { tracer } = setUp({
    write(spans) {
      if (!spans.some(({ name }) => name === "poison")) return store.write(spans);
      return Promise.reject(new SpanloomError("invalid_record", { what: "One record is invalid." }));
    },
  });
  tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "poison" }, () => undefined));
  expect(await tracer.flush()).toBe(true);
  expect(store.spans().map(({ name }) => name)).toEqual(["w"]);
});

test("a span that lasts is seen while it runs, with its news, and once more when it ended; a short one is written once", async () => {
  const writes: SpanRecord[] = [];
  const wake: (() => void)[] = [];
  const sink: SpanSink = {
    async write(spans) {
      writes.push(...spans);
      for (const resume of wake.splice(0)) resume();
      return { written: spans.length, unchanged: 0, rejected: [] };
    },
  };
  const until = async (found: () => boolean): Promise<void> => {
    while (!found()) await new Promise<void>((resolve) => void wake.push(resolve));
  };
  const { tracer } = setUp(sink);
  const execution = tracer.startExecution({ workflowId: "w" });
  await until(() => writes.some(({ name, endTime }) => name === "w" && endTime === undefined));
  execution.node({ id: "short" }, () => undefined);
  execution.setAttributes({ step: 2 });
  await until(() => writes.some(({ name, attributes }) => name === "w" && attributes.step === 2));
  execution.end();
  await tracer.flush();
  const root = writes.filter(({ name }) => name === "w");
  expect(root.map(({ revision }) => revision)).toEqual(root.map((_, index) => index));
  expect(root.map(({ executionStatus }) => executionStatus)).toEqual([
    ...root.slice(1).map(() => "running"),
    "completed",
  ]);
  expect(writes.filter(({ name }) => name === "short")).toHaveLength(1);
});

test("an end replaces a state that still waits", async () => {
  const store = collectingSink();
  const { tracer } = setUp(store, { queue: { flushIntervalMs: 60_000 } });
  const execution = tracer.startExecution({ workflowId: "w" });
  const flushing = tracer.flush();
  const node = execution.startNode({ id: "n" });
  await flushing;
  node.end();
  execution.end();
  await tracer.flush();
  expect(store.spans()).toHaveLength(2);
  expect(store.writes.filter(({ name }) => name === "n")).toHaveLength(1);
});
