import type { SpanRecord } from "@spanloom/model";
import { equal, ok, present } from "./assert.ts";
import { checkExecution, Expected, Follower, inPageOrder } from "./expected.ts";
import type { Chapter, OpenStore, TestedStore } from "./harness.ts";
import { checkSums, run } from "./old-runs.ts";
import { createRandom } from "./random.ts";
import { type RandomHistory, randomHistory } from "./random-history.ts";
import { at, call, root, span, spanIdOf, TRACE, traceIdOf } from "./spans.ts";

const WINDOW = { days: 14, timeZone: "UTC", lastDay: "2026-04-06" };

/** Many calls at once, in one process. */
export function concurrency({ test, needs, histories: tried }: Chapter): void {
  test("histories written all at once end in what the reference says", async (opened) => {
    for (const seed of [1, 2, 3, 4]) {
      const store = opened.forScope(`scope-${seed}`);
      const { batches, executionIds } = randomHistory(seed + 700);
      const { expected, followers } = await followed(store, executionIds, async () => {
        await Promise.all(batches.map((batch) => writeWhole(store, batch)));
        return batches;
      });
      await checkAll(store, expected, followers);
    }
  });

  test("many executions at once, each by several writers, while others read", async (opened) => {
    const store = opened.forScope("scope");
    const histories = Array.from({ length: Math.min(12, tried) }, (_, index) =>
      renamed(randomHistory(index + 800), index),
    );
    const ids = histories.flatMap((history) => history.executionIds);
    let writing = true;
    const reading = (async () => {
      while (writing) {
        const { items } = await store.listExecutions({ sort: { by: "cost", direction: "desc" } });
        for (const { executionId } of items.slice(0, 3)) {
          const page = await store.getTrace(executionId, { view: "full" });
          if (page !== undefined) equal(page.spans, inPageOrder(page.spans), `the order of ${executionId}`);
        }
        await store.getDailyCosts({ ...WINDOW, groupBy: "workflow" });
        await nextTurn();
      }
    })();
    const writes = followed(store, ids, async () => {
      const batches = createRandom(8).shuffled(histories.flatMap((history) => history.batches));
      const writers = [0, 1, 2, 3, 4, 5].map(async (writer) => {
        for (let next = writer; next < batches.length; next += 6)
          await writeWhole(store, batches[next] ?? []);
      });
      await Promise.all(writers);
      return batches;
    }).finally(() => {
      writing = false;
    });
    const [{ expected, followers }] = await Promise.all([writes, reading]);
    await checkAll(store, expected, followers);
  });

  test("one record written by many at once is written once", async (opened) => {
    const store = opened.forScope("scope");
    const record = root("run-1", 1);
    const receipts = await Promise.all(Array.from({ length: 25 }, () => store.write([record])));
    const sum = (key: "written" | "unchanged"): number =>
      receipts.reduce((total, one) => total + one[key], 0);
    equal([sum("written"), sum("unchanged")], [1, 24], "written and unchanged");
    const states = Array.from({ length: 25 }, (_, revision) => ({
      ...record,
      revision,
      name: `state ${revision}`,
    }));
    await Promise.all(
      createRandom(3)
        .shuffled(states)
        .map((state) => store.write([state])),
    );
    equal(await store.getSpan("run-1", record.spanId), states.at(-1), "the state that is kept");
    equal((await store.getExecution("run-1"))?.spanCount, 1, "spans");
  });

  test("a page and the changes since it give the trace, however much is written between", async (opened) => {
    const store = opened.forScope("scope");
    const expected = new Expected();
    const first = [root("run-1", 1, { traceId: TRACE }), ...numbers(2, 60).map((number) => span(number, 1))];
    await store.write(first);
    const more = numbers(100, 300).map((number) => call(number, 2 + (number % 50), number));
    const writes = more.map((record) => store.write([record]));
    const follower = new Follower("run-1");
    const page = present(await store.getTrace("run-1"), "the page");
    const changes = present(await store.changesSince("run-1", page.asOfSeq, { limit: 10_000 }), "the feed");
    await Promise.all(writes);
    const rest = present(await store.changesSince("run-1", changes.seq, { limit: 10_000 }), "the rest");
    const known = new Set([...page.spans, ...changes.spans, ...rest.spans].map((one) => one.spanId));
    equal(known.size, first.length + more.length, "spans that a reader knows");
    expected.add([...first, ...more]);
    await follower.catchUp(store, 7);
    follower.check(expected);
    await checkExecution(store, expected, "run-1");
  });

  needs("administration")("a deletion among writes leaves nothing behind", async (opened) => {
    const store = opened.forScope("scope");
    for (const round of numbers(1, 8)) {
      const id = `run-${round}`;
      const own = { executionId: id, traceId: traceIdOf(round) };
      const late = (number: number): Promise<unknown> => store.write([span(number, round, own)]);
      await store.write([root(id, round, own)]);
      const [deleted] = await Promise.all([store.deleteExecution?.(id), ...numbers(20, 30).map(late)]);
      equal(deleted, true, "deleteExecution");
      equal(await store.getExecution(id), undefined, "the execution after both");
    }
    equal(await store.recompute?.(), { executions: 0, corrected: [] }, "recompute");
  });

  needs("administration")(
    "retention, redaction and recomputation among writes spoil no sum",
    async (opened) => {
      const store = opened.forScope("scope");
      const expected = new Expected();
      const old = numbers(0, 20).flatMap((index) => run(`run-old-${index}`, 100 + 10 * index));
      const kept = run("run-kept", 9_000);
      await store.write([...old, ...kept]);
      const recent = numbers(0, 40).map((index) => run(`run-${index}`, 10_000 + 10 * index));
      const prune = async (): Promise<void> => {
        while ((await store.prune?.({ before: at(5_000), limit: 3 }))?.more);
      };
      await Promise.all([
        ...recent.slice(0, 20).map((batch) => store.write(batch)),
        prune(),
        store.redact?.((record) => ({ ...record, name: "redacted" }), { executionIds: ["run-kept"] }),
        ...recent.slice(20).map((batch) => store.write(batch)),
        store.recompute?.(),
      ]);
      expected.add(old);
      expected.prune(expected.executionIds());
      expected.add(kept.map((record) => ({ ...record, name: "redacted", revision: 1 })));
      expected.add(recent.flat());
      for (const id of expected.executionIds()) await checkExecution(store, expected, id);
      await checkSums(store, expected, { days: 3, timeZone: "UTC", lastDay: "2026-11-21" });
      equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
    },
  );

  test("scopes are written at once without one in another", async (opened: OpenStore) => {
    const scopes = numbers(0, 12).map((index) => `scope-${index}`);
    await Promise.all(
      scopes.flatMap((scope, index) =>
        numbers(1, 6).map((number) =>
          opened.forScope(scope).write([span(number, undefined, { name: scope, usage: { input: index } })]),
        ),
      ),
    );
    for (const scope of scopes) {
      const page = present(await opened.forScope(scope).getTrace("run-1"), "the page");
      equal(
        page.spans.map((one) => [one.spanId, one.name]),
        numbers(1, 6).map((number) => [spanIdOf(number), scope]),
        `spans of ${scope}`,
      );
    }
  });
}

/** Runs the writes while followers of all executions keep asking; gives what must be there, and the followers. */
async function followed(
  store: TestedStore,
  executionIds: readonly string[],
  write: () => Promise<readonly SpanRecord[][]>,
): Promise<{ expected: Expected; followers: Follower[] }> {
  const followers = executionIds.map((id) => new Follower(id));
  let writing = true;
  const following = (async () => {
    while (writing) {
      for (const follower of followers) await follower.catchUp(store, 9);
      await nextTurn();
    }
  })();
  const written = write().finally(() => {
    writing = false;
  });
  const [batches] = await Promise.all([written, following]);
  const expected = new Expected();
  expected.add(batches.flat());
  return { expected, followers };
}

/** Everything that was written is there, for readers and for those who followed. */
export async function checkAll(
  store: TestedStore,
  expected: Expected,
  followers: readonly Follower[],
): Promise<void> {
  for (const follower of followers) {
    await checkExecution(store, expected, follower.executionId);
    await follower.catchUp(store);
    follower.check(expected);
  }
  const listed: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.listExecutions({ limit: 500, ...(cursor !== undefined && { cursor }) });
    listed.push(...page.items.map((item) => item.executionId));
    ok(listed.length <= expected.executionIds().length, "the pages list more executions than there are");
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  equal(listed.sort(), expected.executionIds().sort(), "listed executions");
  await checkSums(store, expected, WINDOW);
  if (store.recompute !== undefined)
    equal((await store.recompute()).corrected, [], "what recompute corrected");
}

/** The history among others: its executions and traces are its own. */
export function renamed(history: RandomHistory, index: number): RandomHistory {
  const idOf = (id: string): string => (/^[0-9a-f]{32}$/.test(id) ? id : `${index}-${id}`);
  return {
    batches: history.batches.map((batch) =>
      batch.map((record) => ({ ...record, executionId: idOf(record.executionId) })),
    ),
    executionIds: history.executionIds.map(idOf),
  };
}

async function writeWhole(store: TestedStore, batch: readonly SpanRecord[]): Promise<void> {
  const receipt = await store.write(batch);
  equal(receipt.rejected, [], "rejected records");
  ok(receipt.written + receipt.unchanged === batch.length, "a receipt does not account for every record");
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** A store that answers without waiting must not keep this process from hearing anything else. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
