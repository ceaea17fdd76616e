import type { ContentVault, RawContent, VaultAddress } from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { createContentVault, createMemoryBlobs } from "@spanloom/pipeline/vault";
import { afterEach, describe, expect, test } from "vitest";
import { createWorkflowTracer, type WorkflowTracer } from "./create-workflow-tracer.ts";
import { createProblemReporter, type Problem } from "./problems.ts";
import { collectingSink } from "./sinks.test-support.ts";
import { VaultFeed } from "./vault-feed.ts";

const KEY = ["sk", "-proj-", "Zx9cVb8nMq7wEr6tYu5iOp4a"].join("");
const tracers: WorkflowTracer[] = [];

afterEach(async () => {
  for (const tracer of tracers.splice(0)) await tracer.shutdown({ timeoutMs: 0 });
});

function setUp(vault: ContentVault) {
  const sink = collectingSink();
  const problems: Problem[] = [];
  const onProblem = (problem: Problem): void => void problems.push(problem);
  const tracer = createWorkflowTracer({ store: sink, scope: "mill", vault, onProblem });
  tracers.push(tracer);
  const run = (executionId = "e"): string =>
    tracer.execution({ workflowId: "w", executionId }, (execution) =>
      execution.node({ id: "n", input: { prompt: `use ${KEY}` } }, () => "done"),
    );
  return { tracer, sink, problems, run };
}

function memoryVault(): { vault: ContentVault; at(address: VaultAddress): Promise<RawContent | undefined> } {
  const keys = { current: "k", all: { k: new Uint8Array(32).fill(3) } };
  const vault = createContentVault({ blobs: createMemoryBlobs(), keys, onRead: () => undefined });
  return { vault, at: (address) => vault.get(address, {}) };
}

test("contents go to the vault as they were, and to the store without secrets", async () => {
  const { vault, at } = memoryVault();
  const { tracer, sink, run } = setUp(vault);
  run();
  expect(await tracer.flush()).toBe(true);
  const { executionId, traceId, spanId, input } = sink.span("n");
  expect(JSON.stringify(input)).not.toContain(KEY);
  expect(await at({ scope: "mill", executionId, traceId, spanId })).toEqual({
    input: { format: "json", state: "captured", json: { prompt: `use ${KEY}` } },
    output: { format: "text", state: "captured", text: "done" },
  });
  // The node, and the execution that gives on what it gave.
  expect(tracer.stats().vault).toEqual({ accepted: 2, kept: 2, queued: 0, dropped: {} });
});

test("a span that other instrumentations filled is kept with the content that stood in its attributes", async () => {
  const { vault, at } = memoryVault();
  const { tracer, sink } = setUp(vault);
  tracer.execution({ workflowId: "w", executionId: "e" }, (execution) => {
    execution
      .startSpan({
        name: "chat",
        attributes: { "gen_ai.prompt.0.content": `use ${KEY}`, "gen_ai.prompt.0.role": "user" },
      })
      .end();
  });
  await tracer.flush();
  const { traceId, spanId } = sink.span("chat");
  expect(JSON.stringify(await at({ scope: "mill", executionId: "e", traceId, spanId }))).toContain(KEY);
});

describe("a vault that", () => {
  const faults: [string, Partial<ContentVault>][] = [
    [
      "rejects, quoting the content",
      { put: (_, content) => Promise.reject(new Error(JSON.stringify(content))) },
    ],
    [
      "throws",
      {
        put: (_, content) => {
          throw Object.assign(new Error(JSON.stringify(content)), { name: KEY, code: "EACCES" });
        },
      },
    ],
  ];
  test.each(faults)("%s costs nothing but its own content, and is counted", async (_, fault) => {
    const { tracer, sink, problems, run } = setUp({ ...memoryVault().vault, ...fault });
    expect(run()).toBe("done");
    expect(await tracer.flush()).toBe(true);
    expect(sink.spans()).toHaveLength(2);
    expect(tracer.stats()).toMatchObject({
      stored: 2,
      vault: { accepted: 2, kept: 0, dropped: { failed: 2 } },
    });
    expect(problems).toMatchObject([{ code: "delivery_failed", where: "vault" }]);
    expect(JSON.stringify([problems, problems.map(({ cause }) => String(cause))])).not.toContain("Zx9cVb8n");
  });

  test("hangs keeps nobody waiting, holds a bounded part of memory, and is counted", async () => {
    const { tracer, sink, run } = setUp({ ...memoryVault().vault, put: () => new Promise(() => undefined) });
    for (let turn = 0; turn < 30; turn++) {
      tracer.execution({ workflowId: "w", input: "x".repeat(1_000_000) }, () => undefined);
      await tracer.flush({ timeoutMs: 1 });
    }
    expect(run()).toBe("done");
    await expect.poll(() => tracer.stats().stored).toBe(32);
    expect(sink.span("n")).toBeDefined();
    const { accepted, kept, queued, dropped } = tracer.stats().vault ?? { dropped: {} };
    expect(dropped.queue_full).toBeGreaterThan(10);
    expect(accepted).toBe((kept ?? 0) + (queued ?? 0) + (dropped.queue_full ?? 0));
    expect(await tracer.flush({ timeoutMs: 10 })).toBe(false);
    await tracer.shutdown({ timeoutMs: 10 });
    expect(tracer.stats().vault?.dropped.shutdown).toBeGreaterThan(5);
  });

  test("hangs holds a bounded number of small contents, too, and keeps them in their order when it goes on", async () => {
    let goOn = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const kept: string[] = [];
    const put: ContentVault["put"] = async ({ spanId }) => {
      await waiting;
      kept.push(spanId);
    };
    const problems = createProblemReporter(undefined, String);
    const feed = new VaultFeed({ ...memoryVault().vault, put }, "mill", problems);
    const input = { format: "text", state: "captured", text: "short" } as const;
    const given = Array.from({ length: 60_000 }, (_, index) => {
      const span = makeSpan({ executionId: "e", spanId: (index + 1).toString(16).padStart(16, "0"), input });
      feed.put(span, span);
      return span.spanId;
    });
    expect(feed.stats().dropped.queue_full).toBeGreaterThan(1_000);
    goOn();
    expect(await feed.flush(20_000)).toBe(true);
    expect(kept.length).toBe(feed.stats().kept);
    expect(kept).toEqual(given.slice(0, kept.length));
  });
});
