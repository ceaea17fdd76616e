import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createWorkflowTracer } from "../create-workflow-tracer.ts";
import type { Problem } from "../problems.ts";
import { collectingSink } from "../sinks.test-support.ts";
import { freePort, type Mood, postsIn, startCollector, takenIn } from "./collector.test-support.ts";
import { createDiskSpool } from "./disk-spool.ts";
import { expectToReconcile, surviveOutage } from "./outage.test-support.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A host beside a collector with the given moods, and one run of four spans. */
async function setUp(moods: Mood[], input = "x") {
  const home = mkdtempSync(join(tmpdir(), "spanloom-collector-"));
  cleanUps.push(() => rmSync(home, { recursive: true, force: true }));
  const file = join(home, "posts");
  const port = await freePort();
  const collector = await startCollector(port, file, moods);
  cleanUps.push(() => collector.kill());
  const problems: Problem[] = [];
  const store = collectingSink();
  const tracer = createWorkflowTracer({
    store,
    otlp: { url: `http://127.0.0.1:${port}/v1/traces`, content: true },
    durability: createDiskSpool({ directory: join(home, "spool") }),
    queue: { flushIntervalMs: 1, writeTimeoutMs: 400 },
    onProblem: (problem) => void problems.push(problem),
  });
  cleanUps.push(() => tracer.shutdown({ timeoutMs: 0 }));
  const spanIds: string[] = [];
  const result = tracer.execution({ workflowId: "w" }, (execution) => {
    spanIds.push(execution.spanId);
    return [0, 1, 2].map((index) =>
      execution.node({ id: `n${index}`, input }, (node) => {
        spanIds.push(node.spanId);
        return index;
      }),
    );
  });
  expect(result).toEqual([0, 1, 2]);
  return { tracer, file, problems, spanIds: new Set(spanIds), store };
}

test(
  "a collector that is killed and comes back gets everything, by itself",
  () => surviveOutage(2_000),
  60_000,
);

test.each([429, 503])(
  "%i: nothing is posted before the collector wants it, whether it names seconds or a date",
  async (status) => {
    const { tracer, file, spanIds, store } = await setUp([
      { answer: "refuse", status, retryAfterS: 1 },
      { answer: "refuse", status, retryAfterS: 2, asDate: true },
      { answer: "take" },
    ]);
    expect(await tracer.flush({ timeoutMs: 10_000 })).toBe(true);
    const [first, second, third] = postsIn(file).map(({ at }) => at);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(990);
    // A date has whole seconds.
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(990);
    expect(new Set(takenIn(file))).toEqual(spanIds);
    expect(tracer.stats().otlp).toMatchObject({ accepted: 4, stored: 4, spilled: 0, dropped: {} });
    expect(store.spans()).toHaveLength(4);
  },
);

test("a connection that is reset in the middle of a body is no loss", async () => {
  const { tracer, file, spanIds, problems } = await setUp(
    [{ answer: "reset" }, { answer: "reset" }, { answer: "take" }],
    "y".repeat(300_000),
  );
  expect(await tracer.flush({ timeoutMs: 10_000 })).toBe(true);
  expect(new Set(takenIn(file))).toEqual(spanIds);
  expect(tracer.stats().otlp).toMatchObject({ stored: 4, dropped: {} });
  expect(problems).toMatchObject([{ code: "delivery_failed", where: "otlp" }]);
});

test("an answer that takes too long is not waited for; the spans are on the disk and are sent again", async () => {
  const { tracer, file, spanIds, problems } = await setUp([
    { answer: "slow", afterMs: 5_000 },
    { answer: "take" },
  ]);
  await expect.poll(() => tracer.stats().otlp).toMatchObject({ queued: 0, spilled: 4 });
  expectToReconcile(tracer.stats().otlp);
  expect(await tracer.flush({ timeoutMs: 10_000 })).toBe(true);
  expect(new Set(takenIn(file))).toEqual(spanIds);
  expect(tracer.stats().otlp).toMatchObject({ accepted: 4, stored: 4, spilled: 0 });
  expect(problems).toMatchObject([{ cause: { code: "timed_out" } }]);
});

test("spans that a collector refuses among others are counted once and never sent again", async () => {
  const { tracer, file } = await setUp([{ answer: "partial", rejected: 1 }, { answer: "take" }]);
  expect(await tracer.flush()).toBe(true);
  expect(postsIn(file)).toHaveLength(1);
  expect(tracer.stats().otlp).toMatchObject({ stored: 3, spilled: 0, dropped: { rejected: 1 } });
  expectToReconcile(tracer.stats().otlp);
});

test("a batch that the collector calls malformed is halved until the span to blame stands alone", async () => {
  const { tracer, file } = await setUp([
    { answer: "refuse", status: 400 },
    { answer: "take" },
    { answer: "refuse", status: 400 },
    { answer: "take" },
    { answer: "refuse", status: 400 },
    { answer: "refuse", status: 400 },
    { answer: "take" },
  ]);
  expect(await tracer.flush()).toBe(true);
  expect(tracer.stats().otlp).toMatchObject({ accepted: 4, stored: 3, deadLettered: 1, dropped: {} });
  expect(takenIn(file)).toHaveLength(3);
});
