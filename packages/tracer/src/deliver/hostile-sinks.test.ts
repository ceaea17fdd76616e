import type { SpanSink } from "@spanloom/model";
import { describe, expect, test } from "vitest";
import {
  createWorkflowTracer,
  type WorkflowTracer,
  type WorkflowTracerOptions,
} from "../create-workflow-tracer.ts";

function setUp(
  write: (batch: readonly unknown[]) => unknown,
  options: Partial<WorkflowTracerOptions> = {},
): WorkflowTracer {
  const tracer = createWorkflowTracer({
    store: { write } as SpanSink,
    onProblem: () => undefined,
    queue: { flushIntervalMs: 1, writeTimeoutMs: 50 },
    ...options,
  });
  tracer.execution({ workflowId: "w" }, (execution) => execution.node({ id: "n" }, () => undefined));
  return tracer;
}

function expectReconciled(tracer: WorkflowTracer): void {
  const { accepted, stored, merged, queued, dropped } = tracer.stats();
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  expect(stored).toBeGreaterThanOrEqual(0);
  expect(accepted).toBe(stored + merged + queued + lost);
}

describe("every span is counted when a store answers that it refused", () => {
  const receipts: [string, unknown, { stored: number; rejected?: number }][] = [
    ["nothing that can be read", [null, "a", { index: "0" }], { stored: 2 }],
    [
      "more than it was given",
      Array.from({ length: 99 }, (_, index) => ({ index, code: "x" })),
      { stored: 0, rejected: 2 },
    ],
    ["one span twice", [{ index: 1 }, { index: 1 }], { stored: 1, rejected: 1 }],
    [
      "a span of a deleted execution",
      [
        { index: 0, code: "deleted_execution" },
        { index: 1, code: "x" },
      ],
      { stored: 0, rejected: 2 },
    ],
  ];
  for (const [what, rejected, { stored, ...dropped }] of receipts) {
    test(what, async () => {
      const counts: unknown[] = [];
      const tracer = setUp(async () => ({ rejected }), {
        onProblem: () => {
          expectReconciled(tracer);
          counts.push(tracer.stats().stored);
        },
      });
      expect(await tracer.flush()).toBe(true);
      expectReconciled(tracer);
      expect(tracer.stats()).toMatchObject({ stored, dropped });
    });
  }
});

describe("spans wait, and arrive once the store is well, when it rejects with", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const hide = (key: string): object =>
    Object.defineProperty(new Error("hidden"), key, {
      get() {
        throw new Error("getter");
      },
    });
  const reasons: [string, unknown][] = [
    ["nothing", undefined],
    ["0", 0],
    ["a symbol", Symbol("reason")],
    // biome-ignore lint/suspicious/noThenProperty: a reason of this kind is what is tried
    ["something that is awaited forever", { then: () => undefined }],
    ["a revoked proxy", proxy],
    ["an error whose name cannot be read", hide("name")],
    ["an error whose retryAfterMs cannot be read", hide("retryAfterMs")],
    ["an error whose retryAfterMs is no number", { retryAfterMs: Number.NaN }],
  ];
  for (const [what, reason] of reasons) {
    test(what, async () => {
      let failures = 0;
      const tracer = setUp(() => (failures++ < 2 ? Promise.reject(reason) : Promise.resolve()));
      expect(await tracer.flush()).toBe(true);
      expectReconciled(tracer);
      expect(tracer.stats()).toMatchObject({ stored: 2, dropped: {} });
    });
  }
});

test("a pipeline that fails to price does not cost the spans", async () => {
  const pipeline: WorkflowTracerOptions["pipeline"] = {
    clean: (record) => record,
    price: () => {
      throw new Error("no price");
    },
    ready: Promise.resolve(),
    priced: true,
  };
  const tracer = setUp(async () => undefined, { pipeline });
  tracer.execution({ workflowId: "w" }, (execution) =>
    execution.llm({ model: "m" }, (llm) => void llm.setUsage({ input: 1 })),
  );
  expect(await tracer.flush()).toBe(true);
  expectReconciled(tracer);
  expect(tracer.stats()).toMatchObject({ stored: 4, dropped: {} });
});

test("any time-out of a flush ends: one that is no number at once, an endless one with the delivery", async () => {
  const hanging = setUp(() => new Promise(() => undefined));
  expect(await hanging.flush({ timeoutMs: Number.NaN })).toBe(false);
  let answer: (() => void) | undefined;
  const slow = setUp(() => new Promise<void>((resolve) => (answer = resolve)), {
    queue: { flushIntervalMs: 1 },
  });
  const flushed = slow.flush({ timeoutMs: Number.POSITIVE_INFINITY });
  await expect.poll(() => answer).toBeDefined();
  answer?.();
  expect(await flushed).toBe(true);
});
