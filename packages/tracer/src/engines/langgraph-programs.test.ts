import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { DynamicStructuredTool } from "@langchain/core/tools";
import { Annotation, Command, END, MemorySaver, Send, START, StateGraph } from "@langchain/langgraph";
import { trace } from "@opentelemetry/api";
import { recordProblem, type SpanRecord } from "@spanloom/model";
import { expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { type LangGraphOptions, traceLangGraph } from "./langgraph.ts";

const State = Annotation.Root({
  question: Annotation<string>(),
  notes: Annotation<string[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
});

function setUp() {
  const sink = collectingSink();
  const problems: unknown[] = [];
  const tracer = createWorkflowTracer({ store: sink, onProblem: (problem) => void problems.push(problem) });
  const traced = <G extends Parameters<typeof traceLangGraph>[0]>(
    graph: G,
    options?: Partial<LangGraphOptions>,
  ) => traceLangGraph(graph, tracer, { workflowId: "w", ...options });
  const nodes = async (): Promise<Map<string, SpanRecord>> => {
    await tracer.flush();
    return new Map(sink.spans().flatMap((span) => (span.kind === "node" ? [[span.nodeId ?? "", span]] : [])));
  };
  return { sink, tracer, traced, nodes, problems };
}

const note = (text: string) => async () => ({ notes: [text] });

/** Forks, joins, chooses, sends, commands and runs a subgraph whose nodes are called as others are. */
function everyEdge() {
  const inner = new StateGraph(State)
    .addNode("read", note("inner read"))
    .addNode("judge", note("inner judge"))
    .addEdge(START, "read")
    .addEdge("read", "judge")
    .compile({ name: "second opinion" });
  return new StateGraph(State)
    .addNode("plan", note("plan"))
    .addNode("read", note("read"))
    .addNode("judge", note("judge"))
    .addNode("slow", note("slow"))
    .addNode("join", note("join"))
    .addNode("sub", inner)
    .addNode("page", note("page"))
    .addNode("decide", async () => new Command({ goto: "last", update: { notes: ["decide"] } }), {
      ends: ["last"],
    })
    .addNode("last", note("last"))
    .addEdge(START, "plan")
    .addEdge("plan", "read")
    .addEdge("plan", "judge")
    .addEdge("judge", "slow")
    .addEdge(["read", "slow"], "join")
    .addConditionalEdges("join", () => "opinion", { opinion: "sub", none: "last" })
    .addConditionalEdges(
      "sub",
      () => [new Send("page", { question: "1" }), new Send("page", { question: "2" })],
      ["page"],
    )
    .addEdge("page", "decide")
    .addEdge("last", END);
}

test("each node says by which edges the run came to it, and links to the spans of those nodes", async () => {
  const { sink, traced, nodes, problems } = setUp();
  const result = await traced(everyEdge().compile()).invoke({ question: "?" });
  expect(result).toEqual(await everyEdge().compile().invoke({ question: "?" }));
  const byId = await nodes();
  const from = Object.fromEntries(
    [...byId].map(([id, { attributes }]) => [id, attributes["langgraph.from"]]),
  );
  expect(from).toEqual({
    plan: undefined,
    read: ["plan"],
    judge: ["plan"],
    slow: ["judge"],
    join: ["read", "slow"],
    sub: ["join"],
    "sub/read": undefined,
    "sub/judge": ["read"],
    page: ["sub"],
    decide: ["page"],
    last: ["decide"],
  });
  expect(byId.get("join")?.links).toMatchObject([
    { spanId: byId.get("read")?.spanId, attributes: { "langgraph.edge": "read -> join" } },
    { spanId: byId.get("slow")?.spanId, attributes: { "langgraph.edge": "slow -> join" } },
  ]);
  expect(byId.get("decide")?.links).toHaveLength(2);
  expect(byId.get("sub/judge")?.links).toMatchObject([{ spanId: byId.get("sub/read")?.spanId }]);
  expect(sink.spans().map(recordProblem).filter(Boolean)).toEqual([]);
  expect(problems).toEqual([]);
});

test("each node carries the state before it and the state when its step was over", async () => {
  const { traced, nodes } = setUp();
  await traced(everyEdge().compile()).invoke({ question: "?" });
  const byId = await nodes();
  const states = (id: string) => {
    const { stateBefore, stateAfter } = byId.get(id) ?? {};
    const notes = (content: typeof stateBefore) =>
      content?.format === "json" ? (content.json as { notes: string[] }).notes : undefined;
    return [notes(stateBefore), notes(stateAfter)];
  };
  expect(states("plan")).toEqual([[], ["plan"]]);
  // Both run in one step: the state after it holds what either gave.
  expect(states("read")).toEqual([["plan"], ["plan", "judge", "read"]]);
  expect(states("judge")).toEqual(states("read"));
  expect(states("sub/read")[1]?.at(-1)).toBe("inner read");
  expect(states("last")[1]?.at(-1)).toBe("last");
});

test("states are left out when the host says so, and for a tracer without content", async () => {
  const { traced, nodes } = setUp();
  await traced(everyEdge().compile(), { captureState: false }).invoke({ question: "?" });
  for (const span of (await nodes()).values())
    expect([span.stateBefore, span.stateAfter]).toEqual([undefined, undefined]);
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink, captureContent: false });
  await traceLangGraph(everyEdge().compile(), tracer, { workflowId: "w" }).invoke({
    question: "secret question",
  });
  await tracer.flush();
  expect(JSON.stringify(sink.writes)).not.toContain("secret question");
});

test("sampling takes states away, too, though they come after their node has ended", async () => {
  const sink = collectingSink();
  const tracer = createWorkflowTracer({ store: sink, sampling: { keepDetail: 0 } });
  await traceLangGraph(everyEdge().compile(), tracer, { workflowId: "w" }).invoke({
    question: "my question",
  });
  await tracer.flush();
  expect(sink.spans().filter(({ kind }) => kind === "node")).toHaveLength(12);
  expect(JSON.stringify(sink.spans())).not.toContain("my question");
  expect(sink.span("plan").stateAfter).toMatchObject({ state: "not_captured", reason: "sampling" });
});

test("every stream mode gives the very chunks that the plain graph gives", async () => {
  const { traced } = setUp();
  const modes = ["values", "updates", "tasks", "custom", "messages", "debug", "checkpoints"] as const;
  const chunks = async (
    graph: ReturnType<ReturnType<typeof everyEdge>["compile"]>,
    streamMode: (typeof modes)[number][],
  ) => {
    const all: unknown[] = [];
    const stream = await graph.stream(
      { question: "?" },
      { streamMode, subgraphs: true, configurable: { thread_id: "t" } },
    );
    for await (const chunk of stream) all.push(chunk);
    // A checkpoint shows the config that it was made with, callbacks included. Ids and times differ from run to run.
    const shown = JSON.stringify(all, (key, value) => (/^(parentC|c)onfig$/.test(key) ? undefined : value));
    return shown.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[\d:.]+Z/g, "#");
  };
  for (const streamMode of [...modes.map((mode) => [mode]), [...modes]]) {
    const plain = await chunks(everyEdge().compile({ checkpointer: new MemorySaver() }), streamMode);
    const same = await chunks(traced(everyEdge().compile({ checkpointer: new MemorySaver() })), streamMode);
    expect(same === plain, streamMode.join()).toBe(true);
  }
});

test("code inside a node finds the node, in invoke and in a stream, and hangs spans below it", async () => {
  const { sink, tracer, traced, nodes } = setUp();
  const library = trace.getTracer("http-library");
  const deep = async (name: string): Promise<void> => {
    await Promise.resolve();
    tracer.activeSpan()?.tool({ name: `tool of ${name}` }, () => {
      expect(tracer.activeSpan()?.nodeId).toBe(name);
      library.startSpan(`query of ${name}`).end();
    });
    library.startSpan(`request of ${name}`).end();
  };
  const build = () => {
    const inner = new StateGraph(State)
      .addNode("b", async () => {
        await deep("a/b");
        return {};
      })
      .addEdge(START, "b")
      .compile();
    return new StateGraph(State)
      .addNode("left", async () => {
        await deep("left");
        return {};
      })
      .addNode("right", async () => {
        await deep("right");
        return {};
      })
      .addNode("a", inner)
      .addEdge(START, "left")
      .addEdge(START, "right")
      .addEdge("left", "a")
      .compile();
  };
  await traced(build()).invoke({ question: "?" });
  const byId = await nodes();
  for (const id of ["left", "right", "a/b"]) {
    expect(sink.span(`tool of ${id}`)).toMatchObject({ nodeId: id, parentSpanId: byId.get(id)?.spanId });
    expect(sink.span(`request of ${id}`)).toMatchObject({ nodeId: id, parentSpanId: byId.get(id)?.spanId });
    expect(sink.span(`query of ${id}`).parentSpanId).toBe(sink.span(`tool of ${id}`).spanId);
  }
  expect(tracer.activeSpan()).toBeUndefined();

  const before = sink.spans().length;
  await tracer.execution({ workflowId: "outer" }, (execution) =>
    execution.node({ id: "call" }, async () => {
      for await (const _chunk of await traced(build()).stream({ question: "?" }));
      expect(tracer.activeSpan()?.nodeId).toBe("call");
    }),
  );
  await tracer.flush();
  const later = sink.spans().slice(before);
  const left = later.find(({ kind, name }) => kind === "node" && name === "left");
  const tool = later.find(({ name }) => name === "tool of left");
  expect(tool).toMatchObject({ nodeId: "left", parentSpanId: left?.spanId });
});

test("a breakpoint before or after a node leaves the execution waiting, and going on with null completes it", async () => {
  for (const breakpoint of [
    { interruptBefore: ["second" as const] },
    { interruptAfter: ["first" as const] },
  ]) {
    const { sink, tracer, traced } = setUp();
    const graph = traced(
      new StateGraph(State)
        .addNode("first", note("first"))
        .addNode("second", note("second"))
        .addEdge(START, "first")
        .addEdge("first", "second")
        .compile({ checkpointer: new MemorySaver(), ...breakpoint }),
    );
    const config = { configurable: { thread_id: "t" } };
    await graph.invoke({ question: "?" }, config);
    await tracer.flush();
    expect(
      sink
        .spans()
        .map(({ executionStatus }) => executionStatus)
        .filter(Boolean),
    ).toEqual(["waiting"]);
    expect((await graph.invoke(null, config)).notes).toEqual(["first", "second"]);
    await tracer.flush();
    const roots = sink.spans().filter(({ kind }) => kind === "workflow");
    expect(roots.map(({ executionStatus }) => executionStatus)).toEqual(["waiting", "completed"]);
    expect(new Set(roots.map(({ executionId }) => executionId)).size).toBe(1);
    expect(roots[1]?.links).toMatchObject([{ spanId: roots[0]?.spanId }]);
  }
});

test("batch gives the graph's own results and errors, and each input is an execution", async () => {
  const { sink, tracer, traced } = setUp();
  const fault = new Error("no such question");
  const graph = traced(
    new StateGraph(State)
      .addNode("answer", async ({ question }) => {
        if (question === "bad") throw fault;
        return { notes: [question] };
      })
      .addEdge(START, "answer")
      .compile(),
  );
  const inputs = ["a", "bad", "c"].map((question) => ({ question }));
  const results = await graph.batch(inputs, { maxConcurrency: 2 }, { returnExceptions: true });
  expect(results).toEqual([{ question: "a", notes: ["a"] }, fault, { question: "c", notes: ["c"] }]);
  await expect(graph.batch(inputs)).rejects.toBe(fault);
  await tracer.flush();
  const roots = sink.spans().filter(({ kind }) => kind === "workflow");
  expect(roots.map(({ executionStatus }) => executionStatus).toSorted()).toEqual([
    "completed",
    "completed",
    "completed",
    "completed",
    "failed",
    "failed",
  ]);
  expect(new Set(roots.map(({ executionId }) => executionId)).size).toBe(6);
});

test("a tool that streams has a first token, and events that the host dispatches stand on their node", async () => {
  const { sink, tracer, traced, nodes } = setUp();
  const lookUp = new DynamicStructuredTool({
    name: "look_up",
    description: "Finds pages, one by one",
    schema: { type: "object", properties: {} } as const,
    async *func() {
      yield "page 1";
      yield "page 2";
      return "two pages";
    },
  });
  await traced(
    new StateGraph(State)
      .addNode("read", async () => {
        await dispatchCustomEvent("halfway", { secret: "content" });
        return { notes: [String(await lookUp.invoke({}))] };
      })
      .addEdge(START, "read")
      .compile(),
  ).invoke({ question: "?" });
  await tracer.flush();
  expect(sink.span("look_up")).toMatchObject({ kind: "tool", nodeId: "read", output: { text: "two pages" } });
  expect(sink.span("look_up").firstTokenTime).toBeDefined();
  expect((await nodes()).get("read")?.events).toMatchObject([{ name: "halfway", attributes: {} }]);
});
