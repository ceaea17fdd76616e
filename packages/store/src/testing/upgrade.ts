import { equal, present } from "./assert.ts";
import { checkAll } from "./concurrency.ts";
import { Expected, Follower } from "./expected.ts";
import type { Chapter, OldSchema, OpenStore } from "./harness.ts";
import { randomHistory } from "./random-history.ts";
import { root, span, TRACE } from "./spans.ts";

const SCOPE = "upgrade";

/** Data of older versions: opened as it is, whole, and written on. */
export function upgrade({ needs, oldSchemas }: Chapter): void {
  const test = needs("oldSchemas");
  if (oldSchemas.length === 0) test("data of an older version", async () => undefined);

  for (const old of oldSchemas) {
    const from = `from ${old.version}`;

    test(`${from}: everything that was written is there, with every sum`, async () => {
      await onOld(old, async (opened, expected) => {
        const store = opened.forScope(SCOPE);
        await checkAll(store, expected, followersOf(expected));
        for (const { executionId, spanId, traceId, name } of expected.spans().slice(0, 20)) {
          equal((await store.getSpan(executionId, spanId, traceId))?.name, name, `getSpan ${spanId}`);
          const query = { text: name.slice(0, 500) || "x" };
          const { items } = present(await store.searchSpans(executionId, query), "the matches");
          equal(items, expected.search(executionId, query).slice(0, 200), `the matches of "${query.text}"`);
        }
      });
    });

    test(`${from}: it is written on as if it had never been older`, async () => {
      await onOld(old, async (opened, expected) => {
        const store = opened.forScope(SCOPE);
        const again = await store.write(old.written.flat());
        equal([again.written, again.rejected], [0, []], "everything written again");
        const followers = followersOf(expected);
        for (const follower of followers) await follower.catchUp(store);
        const revised = expected
          .spans()
          .map((record) => ({ ...record, revision: record.revision + 1, name: "revised" }));
        for (const batch of [revised, ...randomHistory(4_711).batches]) {
          equal((await store.write(batch)).rejected, [], "rejected records");
          expected.add(batch);
        }
        await checkAll(store, expected, [...followers, ...followersOf(expected)]);
      });
    });

    needs("oldSchemas", "administration")(`${from}: deletion, redaction and retention reach it`, async () => {
      await onOld(old, async (opened, expected) => {
        const store = opened.forScope(SCOPE);
        const ids = expected.executionIds();
        await store.redact?.((record) => ({ ...record, name: "redacted" }));
        for (const { executionId, spanId, traceId } of expected.spans().slice(0, 20)) {
          equal(
            (await store.getSpan(executionId, spanId, traceId))?.name,
            "redacted",
            `the name of ${spanId}`,
          );
        }
        equal(await store.deleteExecution?.(present(ids[0], "an execution")), true, "deleteExecution");
        equal((await store.recompute?.())?.corrected, [], "what recompute corrected");
        while ((await store.prune?.({ before: "9223372036854775807" }))?.more);
        equal((await store.listExecutions()).items, [], "what is left");
        equal((await store.recompute?.())?.corrected, [], "what recompute corrected at the end");
      });
    });

    needs("oldSchemas", "durable")(`${from}: it is upgraded once, and opens again`, async () => {
      await onOld(old, async (opened, expected) => {
        const more = [root("run-new", 1, { traceId: TRACE }), span(2, 1, { executionId: "run-new" })];
        await opened.forScope(SCOPE).write(more);
        expected.add(more);
        await present(opened.reopen, "reopen of the harness").call(opened);
        await checkAll(opened.forScope(SCOPE), expected, followersOf(expected));
      });
    });
  }
}

async function onOld(
  old: OldSchema,
  body: (opened: OpenStore, expected: Expected) => Promise<void>,
): Promise<void> {
  const opened = await old.open();
  try {
    const expected = new Expected();
    expected.add(old.written.flat());
    await body(opened, expected);
  } finally {
    await opened.close();
  }
}

function followersOf(expected: Expected): Follower[] {
  return expected.executionIds().map((id) => new Follower(id));
}
