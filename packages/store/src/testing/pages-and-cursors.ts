import { type SpanRecord, type SpanSkeleton, spanKey, toSkeleton } from "@spanloom/model";
import { makeTrace, textContent } from "@spanloom/model/fixtures";
import { MAX_PAGE_LENGTH } from "../page-room.ts";
import { checkLength, equal, ok, present, rejects } from "./assert.ts";
import { inPageOrder, readAll } from "./expected.ts";
import type { Chapter } from "./harness.ts";
import { createRandom } from "./random.ts";
import { at, call, span } from "./spans.ts";

/** Reading a trace page by page, also while it is written. */
export function pagesAndCursors({ test }: Chapter): void {
  const tree = [span(1), span(2, 1), call(3, 2, 9), span(4, 2), span(5, 1), span(6, 5), span(7, 99), span(8)];

  test("pages of any size join to the whole trace in pre-order", async (opened) => {
    const store = opened.forScope("scope");
    const spans = makeTrace({ spans: 257, executionId: "run-1", seed: 5 });
    await store.write(createRandom(1).shuffled(spans));
    for (const limit of [1, 7, 100, 256, 257, 258]) {
      equal(await readAll(store, "run-1", limit), inPageOrder(spans), `pages of ${limit}`);
    }
  });

  test("a page is of skeletons unless full is asked for", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(tree);
    for (const query of [undefined, {}, { view: "skeleton" as const }]) {
      const page = present(await store.getTrace("run-1", query), "the page");
      equal(page.spans, inPageOrder(tree).map(toSkeleton), "skeletons");
      equal(page.spanCount, tree.length, "spanCount");
      equal(page.nextCursor, undefined, "nextCursor");
      equal([page.execution], await store.getExecutions(["run-1"]), "the execution beside them");
      equal(page.asOfSeq, page.execution.seq, "asOfSeq");
    }
    const full = present(await store.getTrace("run-1", { view: "full" }), "the page");
    equal(full.spans, inPageOrder(tree), "full spans");
  });

  for (const view of ["skeleton", "full"] as const) {
    test(`${view} pages end early where spans are large, and leave none out`, async (opened) => {
      const store = opened.forScope("scope");
      const large = (number: number, parent: number, length: number): SpanRecord =>
        span(
          number,
          parent,
          view === "full" ? { input: textContent("x".repeat(length)) } : { name: "x".repeat(length) },
        );
      const most = MAX_PAGE_LENGTH;
      const spans = [
        ...[span(1), large(2, 1, most * 0.4), large(3, 2, most * 0.4), large(4, 2, most * 0.4)],
        ...[large(5, 1, most * 1.1), span(6, 5), large(7, 1, most * 0.4), span(8)],
      ];
      await store.write(spans.toReversed());
      const read: SpanSkeleton[] = [];
      let asOfSeq: number | undefined;
      let cursor: string | undefined;
      do {
        const page = present(await store.getTrace("run-1", { view, ...(cursor && { cursor }) }), "the page");
        asOfSeq ??= page.asOfSeq;
        equal([page.asOfSeq, page.spanCount], [asOfSeq, spans.length], "asOfSeq and spanCount of a page");
        ok(page.spans.length > 0, "a page is empty");
        checkLength(page.spans, "a page");
        read.push(...page.spans);
        ok(read.length <= spans.length, "the pages give more spans than there are");
        cursor = page.nextCursor;
        // What comes meanwhile stands before, between and after what was read, and in none of its pages.
        const first = 20 + 2 * read.length;
        await store.write([span(first, 1, { startTime: at(0.1) }), span(first + 1, 5)]);
      } while (cursor !== undefined);
      equal(read, view === "full" ? spans : spans.map(toSkeleton), "the pages joined");
    });
  }

  test("full pages have 500 spans, skeleton pages more", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(makeTrace({ spans: 620, executionId: "run-1" }));
    equal((await store.getTrace("run-1", { view: "full" }))?.spans.length, 500, "full spans");
    equal((await store.getTrace("run-1"))?.spans.length, 620, "skeletons");
  });

  for (const view of ["skeleton", "full"] as const) {
    test(`a reading of ${view} pages is stable while the execution is written`, async (opened) => {
      const store = opened.forScope("scope");
      const open = (record: SpanRecord): SpanRecord => {
        const { endTime, ...running } = record;
        return running;
      };
      await store.write(tree.map(open));
      const first = present(await store.getTrace("run-1", { view, limit: 2 }), "the first page");
      const read = first.spans.map(spanKey);
      let { nextCursor } = first;
      for (let round = 0; nextCursor !== undefined; round++) {
        // Before, between and after what was read: children, siblings, roots, and ends of spans that are there.
        await store.write([
          span(20 + round, 1, { startTime: at(0.1) }),
          span(30 + round, 2, { startTime: at(2.5) }),
          span(40 + round, undefined, { startTime: at(0.2) }),
          span(50 + round, 6),
          tree[round % tree.length] as SpanRecord,
        ]);
        const page: typeof first = present(
          await store.getTrace("run-1", { view, limit: 2, cursor: nextCursor }),
          "a page",
        );
        equal(
          [page.asOfSeq, page.spanCount],
          [first.asOfSeq, tree.length],
          "asOfSeq and spanCount of a page",
        );
        ok(page.spans.length > 0, "a page is empty");
        read.push(...page.spans.map(spanKey));
        nextCursor = page.nextCursor;
      }
      equal(read, inPageOrder(tree).map(spanKey), "the pages joined");
      const again = present(
        await store.getTrace("run-1", { view, asOfSeq: first.asOfSeq }),
        "the same again",
      );
      equal(again.spans.map(spanKey), inPageOrder(tree).map(spanKey), "the same commit in one page");
      equal([again.asOfSeq, again.spanCount], [first.asOfSeq, tree.length], "its asOfSeq and spanCount");
      const now = present(await store.getTrace("run-1"), "the trace now");
      const missed = present(await store.changesSince("run-1", first.asOfSeq, { limit: 10_000 }), "the feed");
      const known = new Map(again.spans.map((one) => [spanKey(one), toSkeleton(one)]));
      for (const one of missed.spans) known.set(spanKey(one), one);
      const byKey = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);
      equal(
        [...known].sort(byKey),
        now.spans.map((one): [string, unknown] => [spanKey(one), one]).sort(byKey),
        "a page and the changes since give the trace as it is now",
      );
    });
  }

  test("a cursor of something else is refused", async (opened) => {
    const store = opened.forScope("scope");
    await store.write([
      ...tree,
      ...tree.map((one) => ({ ...one, executionId: "run-2", traceId: "c".repeat(32) })),
    ]);
    const page = present(await store.getTrace("run-1", { limit: 2 }), "the page");
    const cursor = present(page.nextCursor, "the cursor");
    const list = present((await store.listExecutions({ limit: 1 })).nextCursor, "the cursor of the list");
    for (const bad of [
      "",
      "x",
      "%%%",
      "bnVsbA",
      cursor.slice(0, -3),
      list,
      btoa("[1,2,3,4]"),
      "9".repeat(3_000),
    ]) {
      await rejects(
        () => store.getTrace("run-1", { cursor: bad }),
        "invalid_cursor",
        `cursor ${bad.slice(0, 40)}`,
      );
    }
    await rejects(
      () => store.getTrace("run-2", { cursor }),
      "invalid_cursor",
      "a cursor of another execution",
    );
    const mixed = { cursor, asOfSeq: page.asOfSeq - 1 };
    await rejects(() => store.getTrace("run-1", mixed), "invalid_cursor", "a cursor of another commit");
  });

  test("limits and commits that are none are refused", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(tree);
    for (const limit of [0, -1, 1.5, Number.NaN, 10_001]) {
      await rejects(() => store.getTrace("run-1", { limit }), "invalid_argument", `limit ${limit}`);
    }
    for (const asOfSeq of [-1, 1.5, Number.NaN]) {
      await rejects(() => store.getTrace("run-1", { asOfSeq }), "invalid_argument", `asOfSeq ${asOfSeq}`);
    }
  });

  test("what is not there is undefined, never an error", async (opened) => {
    const store = opened.forScope("scope");
    await store.write(tree);
    equal(await store.getTrace("run-9"), undefined, "getTrace");
    equal(await store.getTrace("run-9", { view: "full" }), undefined, "getTrace, full");
    equal(await store.getExecution("run-9"), undefined, "getExecution");
    equal(await store.getRunMetrics("run-9"), undefined, "getRunMetrics");
    equal(await store.getSpan("run-9", span(1).spanId), undefined, "getSpan of another execution");
    equal(await store.getSpan("run-1", span(77).spanId), undefined, "getSpan");
    equal(
      await store.getSpan("run-1", span(1).spanId, "d".repeat(32)),
      undefined,
      "getSpan in another trace",
    );
    equal(await store.getExecutions(["run-9"]), [], "getExecutions");
  });

  test("one span id in two traces: the trace id tells them apart", async (opened) => {
    const store = opened.forScope("scope");
    const twin = span(1, undefined, { traceId: "e".repeat(32), name: "twin" });
    await store.write([span(1), twin]);
    equal(await store.getSpan("run-1", twin.spanId, twin.traceId), twin, "the twin");
    equal(await store.getSpan("run-1", twin.spanId, span(1).traceId), span(1), "the other");
    ok(await store.getSpan("run-1", twin.spanId), "one of them without a trace id");
  });

  test("of a trace that two executions share, each has its own spans only", async (opened) => {
    const store = opened.forScope("scope");
    const other = span(2, 1, { executionId: "run-2" });
    await store.write([span(1), other]);
    for (const traceId of [undefined, other.traceId]) {
      equal(await store.getSpan("run-1", other.spanId, traceId), undefined, "the other's span");
      equal(await store.getSpan("run-2", span(1).spanId, traceId), undefined, "the first one's span");
      equal(await store.getSpan("run-2", other.spanId, traceId), other, "its own span");
    }
  });
}
