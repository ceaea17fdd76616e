import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { describe, expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { traceLangGraph } from "./langgraph.ts";

interface Neighbour {
  text: string;
  before?: Neighbour;
  after?: Neighbour;
}

/** Each points at the one before and the one after: there are more ways through it than anybody can walk. */
function chain(length: number): Neighbour {
  const first: Neighbour = { text: "first" };
  let last = first;
  for (let index = 1; index < length; index++) {
    const next: Neighbour = { text: `${index}`, before: last };
    last.after = next;
    last = next;
  }
  return first;
}

const State = Annotation.Root({ document: Annotation<unknown>() });

describe("a graph's run is recorded to its end when its state", () => {
  const states: [string, () => unknown][] = [
    ["is a chain whose members point both ways", () => chain(200)],
    ["holds a getter that throws", () => withGetter()],
    ["is a list of more places than memory has", () => new Array(2 ** 32 - 1)],
  ];
  for (const [what, make] of states) {
    test(what, async () => {
      const sink = collectingSink();
      const tracer = createWorkflowTracer({ store: sink });
      const document = make();
      const graph = new StateGraph(State)
        .addNode("read", () => ({ document }))
        .addEdge(START, "read")
        .addEdge("read", END)
        .compile();
      const result = await traceLangGraph(graph, tracer, { workflowId: "w" }).invoke({ document: "" });
      expect(result.document).toBe(document);
      expect(await tracer.flush()).toBe(true);
      expect(sink.span("w")).toMatchObject({ executionStatus: "completed" });
      expect(sink.span("read").endTime).toBeDefined();
    });
  }
});

test("a run is recorded to its end when the host's options and errors throw at whoever asks them", async () => {
  const sink = collectingSink();
  const problems: string[] = [];
  const tracer = createWorkflowTracer({ store: sink, onProblem: ({ where }) => void problems.push(where) });
  const error = Object.defineProperty(new Error("original"), "name", { get: raise });
  const graph = new StateGraph(State)
    .addNode("fail", () => {
      throw error;
    })
    .addEdge(START, "fail")
    .addEdge("fail", END)
    .compile();
  const options = { workflowId: "w", executionId: raise, nodeType: raise, onStart: raise };
  await expect(traceLangGraph(graph, tracer, options).invoke({ document: "" })).rejects.toThrow();
  await tracer.flush();
  expect(sink.span("w")).toMatchObject({ executionStatus: "failed", status: { code: "error" } });
  expect(sink.span("fail")).toMatchObject({ status: { code: "error" } });
  expect(sink.spans().filter(({ endTime }) => endTime === undefined)).toEqual([]);
  expect(problems.toSorted()).toEqual(["langgraph executionId", "langgraph nodeType", "langgraph onStart"]);
});

function raise(): never {
  throw new Error("host");
}

function withGetter(): object {
  return Object.defineProperty({ kept: true }, "broken", {
    enumerable: true,
    get() {
      throw new Error("getter");
    },
  });
}
