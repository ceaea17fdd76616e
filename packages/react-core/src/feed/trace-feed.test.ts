import { type ScopedStore, SpanloomError, type SpanRecord, type TraceReader } from "@spanloom/model";
import { makeSpan, makeTrace, runningTrace, sampleTrace } from "@spanloom/model/fixtures";
import { createMemoryStore } from "@spanloom/store/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { gate, type ReadSkeletons, readerOf } from "../reader.test-support.ts";
import { createTraceFeed, type TraceFeed, type TraceSnapshot } from "./trace-feed.ts";

const INVOICE = "exec-invoice-1042";

let store: ScopedStore;
const stops: (() => void)[] = [];

beforeEach(() => {
  store = createMemoryStore().forScope("test");
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
});

describe("loading", () => {
  test("reads every page of one commit and says when the last one is there", async () => {
    const spans = makeTrace({ spans: 95, executionId: "paged" });
    await store.write(spans);
    const getTrace = vi.fn<ReadSkeletons>((id, query) => store.getTrace(id, { ...query, limit: 20 }));
    const { feed, seen } = follow(readerOf(store, { getTrace }), "paged");
    const ready = await until(feed, ({ complete }) => complete);
    expect(ready).toMatchObject({ status: "ready", spanCount: 95, live: "ended" });
    expect(new Set(ready.spans.map(({ spanId }) => spanId))).toEqual(
      new Set(spans.map(({ spanId }) => spanId)),
    );
    expect(getTrace).toHaveBeenCalledTimes(5);
    // The first page is shown before the others are there.
    expect(seen.find(({ status }) => status === "ready")).toMatchObject({ complete: false });
  });

  test("says that an execution is not there, and shows it once it is", async () => {
    vi.useFakeTimers();
    const { feed } = follow(readerOf(store), INVOICE);
    await vi.waitFor(() => expect(feed.getSnapshot().status).toBe("not-found"));
    await store.write(sampleTrace());
    await vi.advanceTimersByTimeAsync(3_000);
    expect(feed.getSnapshot()).toMatchObject({ status: "ready", spanCount: 26 });
  });

  test("shows nothing to whoever may not see it, and asks no further until told to", async () => {
    await store.write(sampleTrace());
    let permitted = false;
    const getTrace = vi.fn<ReadSkeletons>((id, query) =>
      permitted ? store.getTrace(id, query) : Promise.reject(denied()),
    );
    const { feed } = follow(readerOf(store, { getTrace }), INVOICE);
    const refused = await until(feed, ({ status }) => status === "not-permitted");
    expect(refused).toMatchObject({ spans: [], spanCount: 0 });
    expect(refused.execution).toBeUndefined();
    expect(getTrace).toHaveBeenCalledTimes(1);
    permitted = true;
    feed.retry();
    await until(feed, ({ status, complete }) => status === "ready" && complete);
  });

  test("takes away what was shown when the permission ends meanwhile, and loads it whole when it is back", async () => {
    await store.write(runningTrace());
    let permitted = true;
    const reader = readerOf(store, {
      changesSince: (id, seq) => (permitted ? store.changesSince(id, seq) : Promise.reject(denied())),
    });
    const { feed, stop } = follow(reader, INVOICE);
    await until(feed, ({ complete }) => complete);
    permitted = false;
    await store.write([lateSpan("a1")]);
    expect(await until(feed, ({ status }) => status === "not-permitted")).toMatchObject({ spans: [] });
    stop();
    permitted = true;
    listen(feed);
    const back = await until(feed, ({ status, complete }) => status === "ready" && complete);
    expect(back.spans).toHaveLength(runningTrace().length + 1);
  });

  test("an error is shown after some tries, and leaves when the reader answers again", async () => {
    vi.useFakeTimers();
    await store.write(sampleTrace());
    let broken = true;
    const getTrace: ReadSkeletons = (id, query) =>
      broken ? Promise.reject(new Error("no route")) : store.getTrace(id, query);
    const { feed } = follow(readerOf(store, { getTrace }), INVOICE);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(feed.getSnapshot()).toMatchObject({ status: "error", error: new Error("no route") });
    broken = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(feed.getSnapshot()).toMatchObject({ status: "ready", error: undefined });
  });
});

describe("following", () => {
  test("shows spans as they come, in a new array, without reading pages again", async () => {
    await store.write(runningTrace());
    const getTrace = vi.fn<ReadSkeletons>((id, query) => store.getTrace(id, query));
    const { feed } = follow(readerOf(store, { getTrace }), INVOICE);
    const before = await until(feed, ({ complete }) => complete);
    expect(before.live).toBe("live");
    await store.write(sampleTrace());
    const after = await until(feed, ({ live }) => live === "ended");
    expect(after.spans).toHaveLength(26);
    expect(after.spans.every(({ endTime }) => endTime !== undefined)).toBe(true);
    expect(after.spans).not.toBe(before.spans);
    expect(getTrace).toHaveBeenCalledTimes(1);
  });

  test("drops spans that turn out to belong to another execution", async () => {
    const traceId = "c".repeat(32);
    const unnamed = { traceId, executionId: traceId };
    await store.write([
      makeSpan({ ...unnamed, spanId: "1".repeat(16) }),
      makeSpan({ ...unnamed, spanId: "2".repeat(16) }),
    ]);
    const { feed } = follow(readerOf(store), traceId);
    await until(feed, ({ spans }) => spans.length === 2);
    await store.write([makeSpan({ traceId, spanId: "3".repeat(16), executionId: "named" })]);
    expect(await until(feed, ({ status }) => status === "not-found")).toMatchObject({
      spans: [],
      spanCount: 0,
    });
  });

  test("a deleted execution is not there any more", async () => {
    await store.write(sampleTrace());
    const { feed } = follow(readerOf(store), INVOICE);
    await until(feed, ({ complete }) => complete);
    await store.deleteExecution(INVOICE);
    const gone = await until(feed, ({ status }) => status === "not-found");
    expect(gone.spans).toEqual([]);
    expect(gone.execution).toBeUndefined();
  });

  test("after a lost connection it goes on from the last commit, and reads no page twice", async () => {
    await store.write(runningTrace());
    const getTrace = vi.fn<ReadSkeletons>((id, query) => store.getTrace(id, query));
    let failing = false;
    const changesSince = vi.fn<TraceReader["changesSince"]>((id, seq) =>
      failing ? Promise.reject(new Error("connection lost")) : store.changesSince(id, seq),
    );
    const { feed } = follow(readerOf(store, { getTrace, changesSince }), INVOICE);
    await until(feed, ({ complete }) => complete);
    const { asOfSeq } = (await store.getTrace(INVOICE)) ?? { asOfSeq: -1 };
    failing = true;
    await store.write([lateSpan("a1")]);
    const lost = await until(feed, ({ live }) => live === "reconnecting");
    expect(lost.spans).toHaveLength(runningTrace().length);
    failing = false;
    const back = await until(feed, ({ live }) => live === "live");
    expect(back.spans).toHaveLength(runningTrace().length + 1);
    expect(back.error).toBeUndefined();
    expect(changesSince.mock.lastCall?.[1]).toBe(asOfSeq);
    expect(getTrace).toHaveBeenCalledTimes(1);
  });

  test("a stream that breaks is taken up again at its last commit", async () => {
    await store.write(runningTrace());
    const from: number[] = [];
    const reader = readerOf(store, {
      async *follow(id, seq, signal) {
        from.push(seq);
        if (from.length === 1) {
          await store.write([lateSpan("a1")]);
          const changes = await store.changesSince(id, seq);
          if (changes !== undefined) yield changes;
          throw new Error("stream broke");
        }
        await new Promise<void>((done) => signal.addEventListener("abort", () => done()));
      },
    });
    const { feed } = follow(reader, INVOICE);
    await until(feed, ({ spans }) => spans.length === runningTrace().length + 1);
    await vi.waitFor(() => expect(from).toHaveLength(2), { timeout: 5_000 });
    expect(from[1]).toBeGreaterThan(from[0] ?? 0);
  });
});

describe("listeners", () => {
  test("a late answer to a listener that left does not disturb the one that came", async () => {
    await store.write(runningTrace());
    const late = gate();
    const answers: Promise<unknown>[] = [];
    const getTrace: ReadSkeletons = (id, query) => {
      const opened = answers.length === 0 ? late.opened : Promise.resolve();
      const answer = opened.then(() => store.getTrace(id, query));
      answers.push(answer);
      return answer;
    };
    const changesSince = vi.fn(store.changesSince.bind(store));
    const { feed, stop } = follow(readerOf(store, { getTrace, changesSince }), INVOICE);
    stop();
    listen(feed);
    await until(feed, ({ complete }) => complete);
    late.open();
    await answers[0];
    // The feed goes on with the answer in a microtask of its own; a new task comes after all of them.
    await new Promise((resolve) => setTimeout(resolve));
    await store.write([lateSpan("a1")]);
    await until(feed, ({ spans }) => spans.length === runningTrace().length + 1);
    expect(changesSince.mock.calls.map(([, seq]) => typeof seq)).not.toContain("undefined");
    expect(answers).toHaveLength(2);
  });

  test("without a listener nothing is read; the next one sees at once what it missed", async () => {
    await store.write(runningTrace());
    const getTrace = vi.fn<ReadSkeletons>((id, query) => store.getTrace(id, query));
    const changesSince = vi.fn(store.changesSince.bind(store));
    const { feed, stop } = follow(readerOf(store, { getTrace, changesSince }), INVOICE);
    await until(feed, ({ complete }) => complete);
    stop();
    const asked = changesSince.mock.calls.length;
    await store.write(sampleTrace());
    expect(changesSince).toHaveBeenCalledTimes(asked);
    listen(feed);
    await until(feed, ({ live }) => live === "ended");
    expect(feed.getSnapshot().spans).toHaveLength(26);
    expect(getTrace).toHaveBeenCalledTimes(1);
  });

  test("retry reads everything again and keeps what is shown until then", async () => {
    await store.write(sampleTrace());
    const getTrace = vi.fn<ReadSkeletons>((id, query) => store.getTrace(id, query));
    const { feed, seen } = follow(readerOf(store, { getTrace }), INVOICE);
    await until(feed, ({ complete }) => complete);
    seen.length = 0;
    feed.retry();
    await vi.waitFor(() => expect(getTrace).toHaveBeenCalledTimes(2));
    expect(seen.every(({ spans }) => spans.length === 26)).toBe(true);
  });
});

function follow(
  reader: TraceReader,
  executionId: string,
): { feed: TraceFeed; seen: TraceSnapshot[]; stop: () => void } {
  const feed = createTraceFeed(reader, executionId);
  const seen: TraceSnapshot[] = [];
  const stop = listen(feed, () => seen.push(feed.getSnapshot()));
  return { feed, seen, stop };
}

function listen(feed: TraceFeed, listener: () => void = () => undefined): () => void {
  const stop = feed.subscribe(listener);
  stops.push(stop);
  return stop;
}

function until(feed: TraceFeed, holds: (snapshot: TraceSnapshot) => boolean): Promise<TraceSnapshot> {
  return new Promise((resolve) => {
    const stop = listen(feed, check);
    check();
    function check(): void {
      const snapshot = feed.getSnapshot();
      if (!holds(snapshot)) return;
      stop();
      resolve(snapshot);
    }
  });
}

/** One more span of the running sample. */
function lateSpan(id: string): SpanRecord {
  const [root] = runningTrace();
  if (root === undefined) throw new Error("The sample is empty.");
  return makeSpan({
    traceId: root.traceId,
    executionId: INVOICE,
    spanId: id.padStart(16, "f"),
    name: "late",
  });
}

function denied(): SpanloomError {
  return new SpanloomError("not_permitted", { what: "Traces are for operators." });
}
