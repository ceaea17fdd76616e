import { type SpanRecord, spanKey, toSkeleton } from "@spanloom/model";
import { makeTrace } from "@spanloom/model/fixtures";
import { equal, ok, present } from "./assert.ts";
import { Expected, Follower, inPageOrder, withoutSeq } from "./expected.ts";
import type { Chapter, TestedStore } from "./harness.ts";
import { createRandom } from "./random.ts";
import { call, root, span, spanIdOf, TRACE } from "./spans.ts";

const SPANS = 100_000;
const BATCH = 1_000;

/** Traces of 100,000 spans. How long they may take is the runner's own time-out; how long they took is in the report. */
export function largeTraces({ needs, figure }: Chapter): void {
  const test = needs("large");

  test("100,000 spans are written in disorder and read back, by pages, feed, search and sums", async (opened) => {
    const store = opened.forScope("scope");
    const spans = makeTrace({ spans: SPANS, executionId: "run-1", content: false, seed: 7 });
    spans[77_777] = { ...(spans[77_777] as SpanRecord), name: "the needle in the haystack" };
    await timed("writing 100,000 spans", () => writeAll(store, disordered(spans)));
    const expected = new Expected();
    expected.add(spans);
    const detail = present(await store.getExecution("run-1"), "the execution");
    equal(withoutSeq(detail), expected.detail("run-1"), "getExecution");
    const order = inPageOrder(spans).map(spanKey);
    await timed("reading 100,000 skeletons", async () => {
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const page = present(await store.getTrace("run-1", cursor === undefined ? {} : { cursor }), "a page");
        equal([page.spanCount, page.asOfSeq], [SPANS, detail.seq], "spanCount and asOfSeq of a page");
        keys.push(...page.spans.map(spanKey));
        ok(keys.length <= SPANS, "the pages give more spans than there are");
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      ok(
        keys.length === SPANS && keys.every((key, index) => key === order[index]),
        "the pages are not the trace",
      );
    });
    await timed("following 100,000 spans", async () => {
      const follower = new Follower("run-1");
      await follower.catchUp(store, 10_000);
      follower.check(expected);
    });
    await timed("searching 100,000 spans", async () => {
      const found: string[] = [];
      let pages = 0;
      let cursor: string | undefined;
      do {
        const query = { text: "NEEDLE in", ...(cursor !== undefined && { cursor }) };
        const page = present(await store.searchSpans("run-1", query), "a page of matches");
        found.push(...page.items.map(spanKey));
        ok(++pages <= SPANS && found.length <= 1, "the pages of matches do not end");
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      equal(found, [spanKey(spans[77_777] as SpanRecord)], "the matches");
    });
    const metrics = present(await store.getRunMetrics("run-1"), "the run metrics");
    equal(withoutSeq(metrics), expected.runMetrics("run-1"), "getRunMetrics");
    const query = { days: 3, timeZone: "Europe/Berlin", groupBy: "model" } as const;
    const lastDay = new Date(Number(BigInt(detail.startTime) / 1_000_000n) + 86_400_000)
      .toISOString()
      .slice(0, 10);
    equal(
      await store.getDailyCosts({ ...query, lastDay }),
      expected.dailyCosts({ ...query, lastDay }),
      "costs",
    );
    equal(
      await store.getAnalytics({ ...query, lastDay }),
      expected.analytics({ ...query, lastDay }),
      "analytics",
    );
    await timed("one more span in a trace of 100,000", async () => {
      const late = call(1, 2, 5, { traceId: detail.traceIds[0] ?? TRACE, startTime: detail.startTime });
      await store.write([late]);
      const changes = present(await store.changesSince("run-1", detail.seq), "the feed");
      equal(changes.spans, [toSkeleton(late)], "the changes since");
      equal(changes.execution.spanCount, SPANS + 1, "spanCount");
    });
  });

  test("10,000 spans below each other, of which the last brings what they cost", async (opened) => {
    const store = opened.forScope("scope");
    const depth = 10_000;
    const chain = Array.from({ length: depth }, (_, index) =>
      index === 0
        ? root("run-1", 1, { traceId: TRACE, usage: { input: 9 } })
        : span(index + 1, index, { kind: "agent", usage: { input: 7 } }),
    );
    await timed("writing 10,000 levels", () => writeAll(store, chain.slice(0, -1)));
    const last = call(depth, depth - 1, 3);
    await store.write([last]);
    const expected = new Expected();
    expected.add([...chain.slice(0, -1), last]);
    const detail = present(await store.getExecution("run-1"), "the execution");
    equal(withoutSeq(detail), expected.detail("run-1"), "getExecution");
    equal([detail.usage.input, detail.usage.items], [3, 1], "tokens, counted once");
    const page = present(await store.getTrace("run-1", { limit: 10_000 }), "the page");
    equal(page.spans.at(-1)?.spanId, spanIdOf(depth), "the last span of the page");
  });

  needs("large", "administration")("a large trace is removed whole", async (opened) => {
    const store = opened.forScope("scope");
    const spans = makeTrace({ spans: SPANS / 4, executionId: "run-1", content: false, seed: 8 });
    await writeAll(store, spans);
    await store.write([root("run-2", 1)]);
    await timed("deleting 25,000 spans", async () => {
      equal(await store.deleteExecution?.("run-1"), true, "deleteExecution");
    });
    equal(await store.getTrace("run-1"), undefined, "the deleted trace");
    const late = await store.write(spans.slice(0, 500));
    equal([late.written, late.rejected.length], [0, 500], "late spans");
    equal(await store.recompute?.(), { executions: 1, corrected: [] }, "recompute");
  });

  async function timed(what: string, body: () => Promise<void>): Promise<void> {
    const started = performance.now();
    await body();
    figure(what, `${((performance.now() - started) / 1000).toFixed(2)} s`);
  }
}

async function writeAll(store: TestedStore, spans: readonly SpanRecord[]): Promise<void> {
  for (let from = 0; from < spans.length; from += BATCH) {
    const batch = spans.slice(from, from + BATCH);
    const receipt = await store.write(batch);
    equal(receipt, { written: batch.length, unchanged: 0, rejected: [] }, "the receipt");
  }
}

/** Each thousand in random order, and every tenth of them late. */
function disordered(spans: readonly SpanRecord[]): SpanRecord[] {
  const random = createRandom(5);
  const parts: SpanRecord[][] = [];
  for (let from = 0; from < spans.length; from += BATCH)
    parts.push(random.shuffled(spans.slice(from, from + BATCH)));
  const late = parts.filter((_, index) => index % 10 === 0);
  return [...parts.filter((_, index) => index % 10 !== 0), ...late].flat();
}
