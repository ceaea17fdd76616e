import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "./create-workflow-tracer.ts";
import type { StreamChunk } from "./llm-stream.ts";
import { collectingSink } from "./sinks.test-support.ts";
import type { SpanHandle } from "./span-handle.ts";

interface Delta {
  delta?: string;
  usage?: { in: number; out: number };
}

async function* answer(fault?: Error): AsyncGenerator<Delta> {
  yield {};
  yield { delta: "The total " };
  yield { delta: "is 3." };
  if (fault !== undefined) throw fault;
  yield { usage: { in: 10, out: 5 } };
}

const read = ({ delta, usage }: Delta): StreamChunk => ({
  ...(delta !== undefined && { text: delta }),
  ...(usage !== undefined && { usage: { input: usage.in, output: usage.out }, finishReason: "stop" }),
});

function setUp() {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink });
  const ask = <T>(run: (llm: SpanHandle) => T): T =>
    tracer.execution({ workflowId: "w" }, (execution) =>
      execution.node({ id: "n" }, (node) => node.llm({ model: "gpt-4.1-mini", provider: "openai" }, run)),
    );
  const llm = async () => {
    await tracer.flush();
    return sink.span("gpt-4.1-mini");
  };
  return { sink, tracer, ask, llm };
}

test("a streamed answer gives the same chunks, and the span its first token, text, chunks, usage and cost", async () => {
  const { ask, llm } = setUp();
  const chunks = await ask(async (span) => {
    const seen: Delta[] = [];
    for await (const chunk of span.stream(answer(), { read })) seen.push(chunk);
    return seen.length;
  });
  expect(chunks).toBe(4);
  const span = await llm();
  expect(span).toMatchObject({
    output: { text: "The total is 3.", state: "captured" },
    usage: { input: 10, output: 5 },
    finishReasons: ["stop"],
    attributes: { "stream.chunks": 4 },
    cost: { source: "computed" },
  });
  expect(BigInt(span.firstTokenTime ?? 0)).toBeGreaterThan(BigInt(span.startTime));
});

test("a stream that the callbacks hand out keeps the call, its node and the execution running until it is read", async () => {
  const { sink, tracer, ask, llm } = setUp();
  const stream = await ask(async (span) => span.stream(answer(), { read }));
  await tracer.flush();
  expect(sink.spans().map(({ endTime }) => endTime)).toEqual([undefined, undefined, undefined]);
  const seen: Delta[] = [];
  for await (const chunk of stream) seen.push(chunk);
  expect(seen).toHaveLength(4);
  expect((await llm()).output).toMatchObject({ text: "The total is 3." });
  expect(sink.spans().every(({ endTime }) => endTime !== undefined)).toBe(true);
  expect(sink.span("w").executionStatus).toBe("completed");
});

test("a stream inside what a callback gives keeps its own span running", async () => {
  const { sink, tracer, ask, llm } = setUp();
  const { body } = ask((span) => ({ body: span.stream(answer(), { read }) }));
  await tracer.flush();
  expect(sink.span("n").endTime).toBeDefined();
  expect((await llm()).endTime).toBeUndefined();
  for await (const _chunk of body);
  expect((await llm()).endTime).toBeDefined();
});

test("a reader who leaves early leaves a partial answer that says so, and the source is closed", async () => {
  const { ask, llm } = setUp();
  let closed = false;
  async function* source(): AsyncGenerator<Delta> {
    try {
      yield* answer();
    } finally {
      closed = true;
    }
  }
  await ask(async (span) => {
    for await (const { delta } of span.stream(source(), { read })) if (delta !== undefined) break;
  });
  expect(closed).toBe(true);
  const span = await llm();
  expect(span).toMatchObject({
    status: { code: "unset" },
    output: { state: "truncated", text: "The total ", reason: expect.stringContaining("left the stream") },
  });
  expect(span.usage).toBeUndefined();
  expect(span.events).toMatchObject([{ name: "stream.abandoned", attributes: { chunks: 2 } }]);
});

test("a stream that breaks off fails its span with the very error, and keeps what had come", async () => {
  const { sink, ask, llm } = setUp();
  const fault = new Error("reset");
  const stream = await ask(async (span) => span.stream(answer(fault), { read }));
  const reading = (async () => {
    for await (const _chunk of stream);
  })();
  await expect(reading).rejects.toBe(fault);
  expect(await llm()).toMatchObject({
    status: { code: "error", message: "reset" },
    output: { state: "truncated", text: "The total is 3." },
  });
  expect(sink.span("w").executionStatus).toBe("failed");
});

test("an error of the reading function is reported and changes no chunk", async () => {
  const { ask, llm } = setUp();
  const texts = await ask(async (span) => {
    const seen: Delta[] = [];
    const broken = (): StreamChunk => {
      throw new Error("reader");
    };
    for await (const chunk of span.stream(answer(), { read: broken })) seen.push(chunk);
    return seen;
  });
  expect(texts).toHaveLength(4);
  expect((await llm()).status.code).toBe("unset");
});

test("by hand: the span ends with the stream when asked to, and text needs no reader", async () => {
  const { sink, tracer } = setUp();
  async function* words(): AsyncGenerator<string> {
    yield "a ";
    yield "b";
  }
  const execution = tracer.startExecution({ workflowId: "w" });
  const llm = execution.startLlm({ model: "local" });
  for await (const _word of llm.stream(words(), { endSpan: true }));
  expect(llm.ended).toBe(true);
  execution.end();
  await tracer.flush();
  expect(sink.span("local")).toMatchObject({ output: { text: "a b" } });
  expect(sink.span("local").firstTokenTime).toBeDefined();
});

test("a stream that everybody forgot ends when it is collected", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const { ask, llm } = setUp();
  await (async () => {
    const stream = ask((span) => span.stream(answer(), { read }));
    await stream.next();
    await stream.next();
  })();
  await expect
    .poll(async () => {
      collect();
      return (await llm()).endTime;
    })
    .toBeDefined();
  expect((await llm()).output).toMatchObject({ state: "truncated", text: "The total " });
});
