import { createMemoryStore } from "@spanloom/store";
import { describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracerOptions } from "./create-workflow-tracer.ts";
import type { ExecutionHandle } from "./execution.ts";
import { mirrorTo } from "./otel/mirror-to.ts";
import type { Problem } from "./problems.ts";
import { collectingSink } from "./sinks.test-support.ts";

/** What plain JavaScript may pass where the types say otherwise. */
const untyped = (value: unknown): never => value as never;

function bomb(key: string): Error {
  return Object.defineProperty(new Error("original"), key, {
    get() {
      throw new TypeError(`${key} explodes`);
    },
  });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function setUp(options: Partial<WorkflowTracerOptions> = {}) {
  const problems: Problem[] = [];
  const stores = createMemoryStore();
  const tracer = createWorkflowTracer({
    store: stores,
    onProblem: (problem) => void problems.push(problem),
    queue: { flushIntervalMs: 1, writeTimeoutMs: 50 },
    ...options,
  });
  return { tracer, problems, store: stores.forScope("default") };
}

/** Runs `work` in one execution and gives what is stored of it. */
async function record(work: (execution: ExecutionHandle) => unknown, threadId?: string) {
  const { tracer, store, problems } = setUp();
  tracer.execution(
    { workflowId: "w", executionId: "e", ...(threadId !== undefined && { threadId }) },
    (execution) => void work(execution),
  );
  expect(await tracer.flush()).toBe(true);
  expect(tracer.stats().dropped).toEqual({});
  const page = await store.getTrace("e", { view: "full" });
  return { spans: page?.spans ?? [], execution: page?.execution, problems };
}

describe("what a callback throws comes out as it is, and the execution has failed, when it", () => {
  const errors: [string, () => unknown][] = [
    ["has a name that cannot be read", () => bomb("name")],
    ["has a message that cannot be read", () => bomb("message")],
    ["has a stack that cannot be read", () => bomb("stack")],
    ["is a revoked proxy", revoked],
  ];
  for (const [what, make] of errors) {
    test(what, async () => {
      const { tracer, store } = setUp();
      const error = make();
      let caught: unknown;
      try {
        tracer.execution({ workflowId: "w", executionId: "sync" }, () => {
          throw error;
        });
      } catch (thrown) {
        caught = thrown;
      }
      expect(Object.is(caught, error)).toBe(true);
      const rejected = tracer.execution({ workflowId: "w", executionId: "async" }, async () => {
        throw error;
      });
      const same = await rejected.then(
        () => false,
        (reason: unknown) => Object.is(reason, error),
      );
      expect(same).toBe(true);
      await tracer.flush();
      const ended = await store.getExecutions(["sync", "async"]);
      expect(ended.map(({ status, errorCount }) => [status, errorCount])).toEqual([
        ["failed", 1],
        ["failed", 1],
      ]);
    });
  }
});

describe("a callback may return", () => {
  class Lazy extends Promise<unknown> {
    // biome-ignore lint/suspicious/noThenProperty: promises of this kind are what is tried
    override then(): never {
      throw new Error("not yet");
    }
  }
  const results: [string, () => unknown][] = [
    ["a proxy of a promise", () => new Proxy(Promise.resolve(1), {})],
    ["a revoked proxy", revoked],
    ["a promise whose `then` throws", () => new Lazy(() => undefined)],
    ["a list of more places than memory has", () => new Array(2 ** 32 - 1)],
    [
      "a proxy that tells nothing",
      () => new Proxy({}, { getPrototypeOf: () => raise(), ownKeys: () => raise() }),
    ],
  ];
  for (const [what, make] of results) {
    test(what, async () => {
      const result = make();
      const { execution } = await record((run) => {
        expect(
          Object.is(
            run.node({ id: "n", input: result, attributes: { result } }, () => result),
            result,
          ),
        ).toBe(true);
      });
      expect(execution).toMatchObject({ status: "completed", spanCount: 2, openSpanCount: 0 });
    });
  }
});

function raise(): never {
  throw new Error("trap");
}

describe("the host's code runs, also with", () => {
  const unreadable = untyped({
    get iteration() {
      return raise();
    },
    get workflowId() {
      return raise();
    },
    get id() {
      return raise();
    },
    get name() {
      return raise();
    },
  });
  for (const [what, options] of [
    ["no options", untyped(undefined)],
    ["options that cannot be read", unreadable],
  ] as const) {
    test(what, async () => {
      const { tracer, problems } = setUp();
      const result = tracer.execution(options, (execution) =>
        execution.node(options, (node) =>
          node.llm(options, () =>
            node.tool(options, () =>
              node.span(options, () => node.waitFor(options, () => node.iteration(options, () => 5))),
            ),
          ),
        ),
      );
      expect(result).toBe(5);
      expect(await tracer.flush()).toBe(true);
      expect(tracer.stats()).toMatchObject({ stored: 7, dropped: {} });
      expect(problems.map(({ code }) => code)).toContain("invalid_argument");
    });
  }
});

test("no span is lost for facts that stores refuse: they are mended or left out", async () => {
  const { spans, execution } = await record((run) => {
    run.tool({ name: untyped({ no: "name" }) }, (tool) => {
      tool
        .cache({ keyspace: "k", hits: Number.NaN, misses: 0 })
        .cache({ keyspace: "k", hits: 1, misses: 2 })
        .artifact({ artifactId: "a", name: untyped(undefined), sizeBytes: -1 })
        .addEvent(untyped(undefined))
        .setAttributes(JSON.parse('{"__proto__":{"a":1},"b":2}'));
    });
    run.span({ name: "s", kind: untyped("bogus") }, () => undefined);
  }, "");
  expect(execution?.threadId).toBeUndefined();
  const tool = spans.find(({ kind }) => kind === "tool");
  expect(tool).toMatchObject({
    name: "tool",
    cache: [{ keyspace: "k", hits: 1, misses: 2 }],
    artifacts: [{ artifactId: "a", name: "a" }],
    events: [{ name: "event" }],
  });
  expect(Object.keys(tool?.attributes ?? {}).toSorted()).toEqual(["__proto__", "b"]);
  expect(spans).toHaveLength(3);
});

test("a thread's id of any length, and a link that leads nowhere, cost nothing but themselves", async () => {
  const { tracer, store } = setUp();
  const resumes = { traceId: "not hex", spanId: "neither" };
  tracer.execution(
    { workflowId: "w", executionId: "e", threadId: "t".repeat(300), resumes },
    () => undefined,
  );
  await tracer.flush();
  expect(await store.getExecution("e")).toMatchObject({ threadId: "t".repeat(200), spanCount: 1 });
});

test("options that are there but undefined have their defaults", async () => {
  const { tracer } = setUp(
    untyped({ enabled: undefined, captureContent: undefined, flushOnExit: undefined }),
  );
  tracer.execution({ workflowId: "w" }, () => undefined);
  await tracer.flush();
  expect(tracer.stats().stored).toBe(1);
});

test("a queue that bounds nothing is refused when the tracer is made", () => {
  for (const queue of [
    { maxBytes: untyped("32mb") },
    { flushIntervalMs: Number.NaN },
    { writeTimeoutMs: Infinity },
  ])
    expect(() => setUp({ queue })).toThrow(expect.objectContaining({ code: "invalid_argument" }));
});

test("a span processor of the host that throws costs no span", async () => {
  const processor = { onStart: raise, onEnd: raise, forceFlush: raise, shutdown: raise };
  const { tracer, store, problems } = setUp({ mirror: mirrorTo(processor) });
  tracer.execution({ workflowId: "w", executionId: "e" }, (execution) =>
    execution.node({ id: "n" }, () => undefined),
  );
  expect(await tracer.shutdown()).toBe(true);
  expect(await store.getExecution("e")).toMatchObject({ status: "completed", spanCount: 2 });
  expect(problems).toMatchObject([{ code: "callback_failed", where: "span processor" }]);
});

test("code of the host that ends spans while running ones are written costs no span", async () => {
  const sink = collectingSink();
  const problems: Problem[] = [];
  let runs: ExecutionHandle[] = [];
  const tracer = createWorkflowTracer({
    store: sink,
    onProblem: (problem) => problems.push(problem),
    redaction: {
      functions: [
        {
          name: "ends-the-next",
          redact: (text) => {
            if (text === "first") for (const run of runs.splice(0)) run.end();
            return undefined;
          },
        },
      ],
    },
  });
  runs = ["second", "third"].map((workflowId) => tracer.startExecution({ workflowId }));
  const first = tracer.startExecution({ workflowId: "first" });
  runs.push(...["fourth", "fifth"].map((workflowId) => tracer.startExecution({ workflowId })));
  await tracer.flush();
  first.end();
  await tracer.flush();
  expect(problems).toEqual([]);
  const ended = sink.spans().filter(({ endTime }) => endTime !== undefined);
  expect(ended.map(({ name }) => name).toSorted()).toEqual(["fifth", "first", "fourth", "second", "third"]);
});

test("many tracers are no reason for Node to warn", async () => {
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on("warning", warn);
  const tracers = Array.from({ length: 12 }, () => setUp().tracer);
  // Warnings come with the next tick.
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all(tracers.map((tracer) => tracer.shutdown()));
  process.removeListener("warning", warn);
  expect(warnings).toEqual([]);
});
