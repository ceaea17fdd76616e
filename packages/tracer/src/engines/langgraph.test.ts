import { type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { DynamicStructuredTool } from "@langchain/core/tools";
import {
  Annotation,
  Command,
  END,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  Send,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { recordProblem, type SpanRecord } from "@spanloom/model";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { traceLangGraph } from "./langgraph.ts";
import { LocalModel } from "./local-model.test-support.ts";

const State = Annotation.Root({
  question: Annotation<string>(),
  notes: Annotation<string[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

function setUp() {
  const sink = collectingSink();
  const problems: unknown[] = [];
  const tracer = createWorkflowTracer({ store: sink, onProblem: (problem) => void problems.push(problem) });
  const named = async (name: string): Promise<SpanRecord[]> => {
    await tracer.flush();
    return sink.spans().filter((span) => span.name === name);
  };
  return { sink, tracer, named, problems };
}

/** Branches, runs two nodes side by side, calls a model and a tool, and tries a flaky node again. */
function reviewGraph() {
  let tries = 0;
  const model = new LocalModel(["looks fine"]);
  const lookUp = new DynamicStructuredTool({
    name: "look_up",
    description: "Finds an invoice",
    schema: { type: "object", properties: { id: { type: "number" } } } as const,
    func: async ({ id }: { id: number }) => `invoice ${id}`,
  });
  return new StateGraph(State)
    .addNode("plan", async () => ({ notes: ["planned"] }))
    .addNode("read", async () => ({ notes: [String(await lookUp.invoke({ id: 7 }))] }))
    .addNode("judge", async ({ question }) => {
      const answer = await model.invoke([new HumanMessage(question)]);
      return { notes: [String(answer.content)] };
    })
    .addNode(
      "flaky",
      async () => {
        tries++;
        if (tries % 3 !== 0) throw new Error(`try ${tries} failed`);
        return { notes: ["third time"] };
      },
      { retryPolicy: { maxAttempts: 3, initialInterval: 1, jitter: false, logWarning: false } },
    )
    .addNode("skipped", async () => ({ notes: ["never"] }))
    .addEdge(START, "plan")
    .addEdge("plan", "read")
    .addEdge("plan", "judge")
    .addConditionalEdges("judge", () => "flaky", ["flaky", "skipped"])
    .addEdge("flaky", END)
    .addEdge("skipped", END);
}

test("a graph that branches, runs in parallel, calls a model and a tool and tries again gives the same result and one tree", async () => {
  const { sink, tracer, named, problems } = setUp();
  const plain = await reviewGraph().compile().invoke({ question: "ok?" });
  const graph = traceLangGraph(reviewGraph().compile(), tracer, {
    workflowId: "review",
    workflowName: "Review",
    nodeType: (id) => (id === "judge" ? "llm" : undefined),
  });
  const result = await graph.invoke({ question: "ok?" }, { configurable: { thread_id: "t-9" } });
  expect(result).toEqual(plain);

  const [root] = await named("Review");
  expect(sink.spans().map(recordProblem).filter(Boolean)).toEqual([]);
  expect(root).toMatchObject({
    kind: "workflow",
    executionStatus: "completed",
    workflowId: "review",
    threadId: "t-9",
    input: { json: { question: "ok?" } },
    output: { json: { notes: result.notes } },
  });
  const nodes = sink.spans().filter(({ kind }) => kind === "node");
  expect(nodes.map(({ nodeId, attempt, status }) => [nodeId, attempt, status.code]).toSorted()).toEqual([
    ["flaky", 1, "error"],
    ["flaky", 2, "error"],
    ["flaky", 3, "unset"],
    ["judge", 1, "unset"],
    ["plan", 1, "unset"],
    ["read", 1, "unset"],
  ]);
  expect(nodes.every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
  const [judge] = await named("judge");
  expect(judge).toMatchObject({ nodeType: "llm", output: { json: { notes: ["looks fine"] } } });
  const [llm] = await named("gpt-4.1-mini");
  expect(llm).toMatchObject({
    parentSpanId: judge?.spanId,
    kind: "llm",
    nodeId: "judge",
    provider: "openai",
    usage: { input: 100, output: 20, total: 120, cachedInput: 40, reasoning: 5 },
    finishReasons: ["stop"],
    input: { format: "messages", messages: [{ role: "user", parts: [{ type: "text", content: "ok?" }] }] },
    output: { messages: [{ role: "assistant", parts: [{ type: "text", content: "looks fine" }] }] },
  });
  expect(llm?.cost?.nanoUsd).toBeGreaterThan(0);
  expect((await named("look_up"))[0]).toMatchObject({
    kind: "tool",
    nodeId: "read",
    input: { json: { id: 7 } },
    output: { text: "invoice 7" },
  });
  expect(sink.spans()).toHaveLength(9);
  expect(problems).toEqual([]);
});

test("an agent's loop: tool calls, tool answers and each turn of the same node", async () => {
  const { sink, tracer, named } = setUp();
  const model = new LocalModel([[{ name: "add", args: { a: 1, b: 2 }, id: "call-1" }], "It is 3."]);
  const add = new DynamicStructuredTool({
    name: "add",
    description: "Adds two numbers",
    schema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } } } as const,
    func: async ({ a, b }: { a: number; b: number }) => String(a + b),
  });
  const graph = traceLangGraph(
    new StateGraph(MessagesAnnotation)
      .addNode("agent", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
      .addNode("tools", new ToolNode([add]))
      .addEdge(START, "agent")
      .addConditionalEdges("agent", ({ messages }) => {
        const last: BaseMessage & { tool_calls?: unknown[] } = messages.at(-1) as BaseMessage;
        return last.tool_calls?.length ? "tools" : END;
      })
      .addEdge("tools", "agent")
      .compile(),
    tracer,
    { workflowId: "agent-loop" },
  );
  await graph.invoke({ messages: [new HumanMessage("1 + 2?")] });
  const [toolSpan] = await named("add");
  expect(toolSpan).toMatchObject({ kind: "tool", nodeId: "tools", input: { json: { a: 1, b: 2 } } });
  const turns = (await named("agent")).toSorted((a, b) => (a.startTime < b.startTime ? -1 : 1));
  expect(turns.map(({ attempt }) => attempt)).toEqual([1, 1]);
  expect(turns[0]?.output).toMatchObject({
    format: "messages",
    messages: [
      {
        role: "assistant",
        parts: [{ type: "tool_call", id: "call-1", name: "add", arguments: { a: 1, b: 2 } }],
      },
    ],
  });
  expect(turns[1]?.input).toMatchObject({
    format: "messages",
    messages: [
      { role: "user" },
      { role: "assistant" },
      { role: "tool", parts: [{ type: "tool_call_response", id: "call-1", response: "3" }] },
    ],
  });
  expect(sink.span("agent-loop").executionStatus).toBe("completed");
});

test("a failing node fails the execution with the very error that the plain graph throws", async () => {
  const { sink, tracer, named } = setUp();
  const fault = new RangeError("limit reached");
  const model = new LocalModel([fault]);
  const build = () =>
    new StateGraph(State)
      .addNode("ask", async () => ({ notes: [String((await model.invoke("?")).content)] }))
      .addEdge(START, "ask")
      .compile();
  const graph = traceLangGraph(build(), tracer, { workflowId: "failing" });
  await expect(graph.invoke({ question: "?" })).rejects.toBe(fault);
  await expect(build().invoke({ question: "?" })).rejects.toBe(fault);
  for (const name of ["failing", "ask", "gpt-4.1-mini"]) {
    expect((await named(name))[0]?.status).toEqual({ code: "error", message: "limit reached" });
  }
  expect(sink.span("failing").executionStatus).toBe("failed");
});

test("what fails before the run begins also ends the execution", async () => {
  const { sink, tracer } = setUp();
  const graph = traceLangGraph(reviewGraph().compile(), tracer, { workflowId: "early" });
  await expect(graph.invoke({ question: "?" }, { recursionLimit: 0 })).rejects.toThrow("recursionLimit");
  await tracer.flush();
  expect(sink.span("early").executionStatus).toBe("failed");
});

test("stream and streamEvents give what the plain graph gives, and the first token's time is known", async () => {
  const { sink, tracer, named } = setUp();
  const build = () => {
    const model = new LocalModel(["one two three"]);
    return new StateGraph(MessagesAnnotation)
      .addNode("say", async ({ messages }) => {
        let text = "";
        for await (const chunk of await model.stream(messages)) text += chunk.text;
        return { messages: [{ role: "assistant", content: text }] };
      })
      .addEdge(START, "say")
      .compile();
  };
  const input = { messages: [{ role: "user" as const, content: "count" }] };
  const modes = async (graph: ReturnType<typeof build>) => {
    const chunks: string[] = [];
    for await (const [mode, chunk] of await graph.stream(input, { streamMode: ["updates", "messages"] })) {
      chunks.push(mode === "messages" ? String(chunk[0].text) : Object.keys(chunk).join());
    }
    return chunks;
  };
  const graph = traceLangGraph(build(), tracer, { workflowId: "streamed" });
  expect(await modes(graph)).toEqual(await modes(build()));
  const [llm] = await named("gpt-4.1-mini");
  expect(llm).toMatchObject({
    usage: { input: 100, output: 20 },
    output: { messages: [{ role: "assistant" }] },
  });
  expect(llm?.firstTokenTime).toBeDefined();
  expect(sink.span("streamed").executionStatus).toBe("completed");

  const events: string[] = [];
  for await (const { event } of graph.streamEvents(input, { version: "v2" })) events.push(event);
  expect(events.at(-1)).toBe("on_chain_end");
  const roots = await named("streamed");
  expect(roots.map(({ executionStatus }) => executionStatus)).toEqual(["completed", "completed"]);
});

test("a stream that nobody reads to its end still ends the execution", async () => {
  const { sink, tracer } = setUp();
  const graph = traceLangGraph(reviewGraph().compile(), tracer, { workflowId: "left" });
  for await (const _chunk of await graph.stream({ question: "?" }, { streamMode: "updates" })) break;
  await tracer.flush();
  expect(sink.span("left").executionStatus).toBe("cancelled");
  expect(sink.spans().filter(({ endTime }) => endTime === undefined)).toEqual([]);
});

test("an interrupt leaves the execution waiting; resuming its thread goes on with it, linked to where it stopped", async () => {
  const { sink, tracer, named } = setUp();
  const graph = traceLangGraph(
    new StateGraph(State)
      .addNode("approve", async () => ({ notes: [String(interrupt("ok?"))] }))
      .addEdge(START, "approve")
      .compile({ checkpointer: new MemorySaver() }),
    tracer,
    { workflowId: "approval" },
  );
  const config = { configurable: { thread_id: "t-1" } };
  const paused: Record<string, unknown> = await graph.invoke({ question: "?" }, config);
  expect(paused.__interrupt__).toHaveLength(1);
  const [first] = await named("approval");
  expect(first?.executionStatus).toBe("waiting");
  expect(sink.span("approve").status.code).toBe("unset");
  expect((await graph.invoke(new Command({ resume: "yes" }), config)).notes).toEqual(["yes"]);
  const segments = await named("approval");
  const second = segments.find(({ executionStatus }) => executionStatus === "completed");
  expect(second?.executionId).toBe(first?.executionId);
  expect(second?.links).toMatchObject([{ traceId: first?.traceId, spanId: first?.spanId }]);
  expect((await graph.getState(config)).next).toEqual([]);
});

test("nodes of a subgraph and parallel tasks of one node keep their place and their own first attempt", async () => {
  const { sink, tracer, named } = setUp();
  const inner = new StateGraph(State)
    .addNode("check", async () => ({ notes: ["checked"] }))
    .addEdge(START, "check")
    .compile();
  const graph = traceLangGraph(
    new StateGraph(State)
      .addNode("page", async ({ question }) => ({ notes: [question] }))
      .addNode("sub", inner)
      .addConditionalEdges(START, () => ["a", "b", "c"].map((question) => new Send("page", { question })))
      .addEdge("page", "sub")
      .compile(),
    tracer,
    { workflowId: "pages" },
  );
  await graph.invoke({ question: "?" });
  expect((await named("page")).map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  const [sub] = await named("sub");
  expect(await named("check")).toMatchObject([{ nodeId: "sub/check", parentSpanId: sub?.spanId }]);
  expect(sink.spans()).toHaveLength(6);
});

test("inside an execution of the host, a graph is a part of it", async () => {
  const { sink, tracer } = setUp();
  const graph = traceLangGraph(reviewGraph().compile(), tracer, { workflowId: "inner" });
  await tracer.execution({ workflowId: "outer", executionId: "run-1" }, (execution) =>
    execution.node({ id: "call" }, () => graph.invoke({ question: "?" })),
  );
  await tracer.flush();
  expect(new Set(sink.spans().map(({ executionId }) => executionId))).toEqual(new Set(["run-1"]));
  expect(sink.span("inner")).toMatchObject({
    kind: "agent",
    nodeId: "call",
    parentSpanId: sink.span("call").spanId,
  });
});
