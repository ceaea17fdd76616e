import type { CompiledStateGraph } from "@langchain/langgraph";
import { expectTypeOf, test } from "vitest";
import { createDiskSpool } from "./durable/index.ts";
import { type TraceableGraph, traceLangGraph } from "./engines/langgraph.ts";
import type {
  Durability,
  ExecutionEvent,
  ExecutionHandle,
  NodeHandle,
  TelemetryEvent,
  TracerEvent,
  TracerStats,
  WorkflowTracer,
} from "./index.ts";

declare const tracer: WorkflowTracer;
declare const execution: ExecutionHandle;

test("callbacks give what they return: a promise stays one, a value stays one", () => {
  expectTypeOf(tracer.execution({ workflowId: "w" }, () => 1)).toEqualTypeOf<number>();
  expectTypeOf(tracer.execution({ workflowId: "w" }, async () => "x")).toEqualTypeOf<Promise<string>>();
  expectTypeOf(execution.node({ id: "n" }, (node) => node.nodeId)).toEqualTypeOf<string>();
});

test("what a span cannot be without is required, and misspelt options are refused", () => {
  // @ts-expect-error an execution belongs to a workflow
  tracer.startExecution({});
  // @ts-expect-error a node has an id
  execution.startNode({ type: "agent" });
  // @ts-expect-error a model has a name
  execution.startLlm({ provider: "openai" });
  // @ts-expect-error nodes have their own method
  execution.startSpan({ name: "n", kind: "node" });
  // @ts-expect-error token counts are numbers
  execution.setUsage({ input: "10" });
});

test("loops, branches and retries give what their callbacks give", () => {
  const loop = execution.loop({ name: "l", items: ["a", "b"] }, async (item) => item.length);
  expectTypeOf(loop).toEqualTypeOf<Promise<number[]>>();
  const fork = execution.parallel({ name: "p" }, { left: () => 1, right: async (branch) => branch.spanId });
  expectTypeOf(fork).toEqualTypeOf<Promise<{ left: number; right: string }>>();
  const tried = execution.retry({ id: "n", attempts: 2 }, (node) => node.attempt);
  expectTypeOf(tried).toEqualTypeOf<Promise<number>>();
  // @ts-expect-error retry counts the attempts itself
  execution.retry({ id: "n", attempts: 2, attempt: 1 }, () => 1);
  // @ts-expect-error retry needs a bound
  execution.retry({ id: "n" }, () => 1);
  // @ts-expect-error a branch is a function
  execution.parallel({ name: "p" }, { left: 1 });
});

test("a stream keeps the type of its chunks, and its reader gets them", () => {
  const llm = execution.startLlm({ model: "m" });
  const source = (async function* () {
    yield { delta: "a" };
  })();
  const stream = llm.stream(source, { read: ({ delta }) => ({ text: delta }) });
  expectTypeOf(stream).toEqualTypeOf<AsyncIterableIterator<{ delta: string }>>();
  // @ts-expect-error chunks of this source have no such field
  llm.stream(source, { read: ({ text }) => ({ text }) });
  // @ts-expect-error a list is no stream
  llm.stream(["a"]);
});

test("what wait gives is what resumes takes, and goes through JSON", () => {
  const point = execution.wait();
  expectTypeOf(point).toEqualTypeOf<{ executionId: string; traceId: string; spanId: string }>();
  expectTypeOf(tracer.startExecution).toBeCallableWith({ workflowId: "w", resumes: point });
});

test("a node's id is always there, that of another span only below a node", () => {
  expectTypeOf<NodeHandle["nodeId"]>().toEqualTypeOf<string>();
  expectTypeOf<ExecutionHandle["nodeId"]>().toEqualTypeOf<string | undefined>();
});

test("events may come without trace context, and their type tells what they hold", () => {
  const bare: ExecutionEvent = { type: "node_started", executionId: "e", nodeId: "n", attempt: 1, time: "t" };
  expectTypeOf(bare.traceId).toEqualTypeOf<string | undefined>();
  const told = (event: TracerEvent): string =>
    event.type === "node_failed"
      ? event.error.message
      : event.type === "llm_ended"
        ? String(event.costUsd)
        : event.type;
  expectTypeOf(told).returns.toEqualTypeOf<string>();
});

test("only calls of models tell tokens, and every event has room for its trace", () => {
  type Of<T extends TracerEvent["type"]> = Extract<TracerEvent, { type: T }>;
  expectTypeOf<TracerEvent["traceId"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<TelemetryEvent["spanId"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Of<"embedding_ended">>().toHaveProperty("usage");
  expectTypeOf<Extract<keyof Of<"agent_ended">, "usage">>().toEqualTypeOf<never>();
});

test("a traced graph has the type of the graph", () => {
  type Graph = CompiledStateGraph<{ a: string }, { a?: string }, "n">;
  expectTypeOf<Graph>().toExtend<TraceableGraph>();
  expectTypeOf(traceLangGraph<Graph>).returns.toEqualTypeOf<Graph>();
});

test("a disk spool knows its modes, and every counter is a number", () => {
  expectTypeOf(createDiskSpool).returns.toEqualTypeOf<Durability>();
  // @ts-expect-error a spool has a directory
  createDiskSpool({ mode: "immediate" });
  // @ts-expect-error there is no such mode
  createDiskSpool({ directory: "spool", mode: "eager" });
  expectTypeOf<TracerStats["spilled" | "deadLettered" | "recovered"]>().toEqualTypeOf<number>();
  expectTypeOf<TracerStats["dropped"]["damaged"]>().toEqualTypeOf<number | undefined>();
});
