import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SpanRecord } from "@spanloom/model";
import { jsonContent, makeSpan, textContent } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { createSqliteStore, type SqliteStoreOptions } from "../sqlite.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";

const file = temporaryFiles();

/** Stands in everything that the tests delete or replace. */
const CANARY = "canary-7f3a";

const LATER = { startTime: "1895167000000000000", endTime: "1895167001000000000" };
const LARGE = { executionId: "large secret", traceId: "c".repeat(32) };

const modes: [name: string, options: Omit<SqliteStoreOptions, "path">][] = [
  ["in a worker", {}],
  ["on the caller's thread", { worker: false }],
  ["through better-sqlite3", { worker: false, driver: "better-sqlite3" }],
];

describe.each(modes)("sqlite %s", (name, options) => {
  test("leaves nothing of a deleted execution's content in its files", async () => {
    const path = file(`deleted ${name}.db`);
    const store = createSqliteStore({ retention: false, path, ...options });
    const scope = store.forScope("scope");
    // Rows among others in a page, rows over many pages, and rows that grew and shrank.
    for (const batch of [0, 1, 2].map(spansOf)) {
      await scope.write(batch.map(running));
      await scope.write(batch);
      const secret = batch.filter((span) => span.executionId === "secret");
      await scope.write(secret.map((span) => ({ ...span, revision: 1, output: textContent(CANARY) })));
    }
    expect(filesWith(path)).not.toEqual([]);
    expect(await scope.deleteExecution("secret")).toBe(true);
    expect(filesWith(path)).toEqual([]);
    expect((await scope.getTrace("kept", { view: "full" }))?.spans.length).toBe(60);
    await store.close();
    expect(filesWith(path)).toEqual([]);
  });

  test("leaves nothing of a pruned execution's content in its files", async () => {
    const path = file(`pruned ${name}.db`);
    const store = createSqliteStore({ path, retention: false, ...options });
    const scope = store.forScope("scope");
    // Small executions, a large one that goes in steps, and the last one of the file, whose number stays taken.
    for (const batch of [0, 1, 2, 3].map(spansOf)) {
      await scope.write(batch.map((span) => (span.executionId === "kept" ? { ...span, ...LATER } : span)));
    }
    const large = Array.from({ length: 15 }, (_, batch) => spansOf(10 + batch)).flat();
    await scope.write(
      large.filter((span) => span.executionId === "secret").map((span) => ({ ...span, ...LARGE })),
    );
    expect(filesWith(path)).not.toEqual([]);
    const pruned = await store.prune({ before: LATER.startTime });
    expect(pruned).toEqual({ executions: 2, spans: 380, more: false });
    expect(filesWith(path)).toEqual([]);
    expect((await scope.getTrace("kept", { view: "full" }))?.spans.length).toBe(80);
    await store.close();
  });

  test("leaves nothing of redacted content in its files", async () => {
    const path = file(`redacted ${name}.db`);
    const store = createSqliteStore({ path, retention: false, ...options });
    const scope = store.forScope("scope");
    for (const batch of [0, 1, 2].map(spansOf)) await scope.write(batch);
    expect(filesWith(path)).not.toEqual([]);
    const report = await scope.redact(({ traceId, spanId, executionId, revision }) =>
      makeSpan({ traceId, spanId, executionId, revision }),
    );
    expect(report.executions).toBe(2);
    expect(filesWith(path)).toEqual([]);
    expect((await scope.getTrace("secret"))?.spanCount).toBe(60);
    await store.close();
  });

  test("leaves nothing of replaced content in its file once the log is in it", async () => {
    const path = file(`replaced ${name}.db`);
    const store = createSqliteStore({ retention: false, path, ...options });
    const spans = [0, 1, 2].flatMap(spansOf);
    await store.forScope("scope").write(spans);
    expect(filesWith(path)).not.toEqual([]);
    const redacted = spans.map(({ traceId, spanId, executionId }) =>
      makeSpan({ traceId, spanId, executionId, revision: 1 }),
    );
    await store.forScope("scope").write(redacted);
    await store.close();
    expect(filesWith(path)).toEqual([]);
  });
});

test("a reader that stays does not hold up a deletion; the log is emptied by the last close", async () => {
  const path = file("reader.db");
  const store = createSqliteStore({ retention: false, path });
  const scope = store.forScope("scope");
  await scope.write(spansOf(0));
  const reader = new DatabaseSync(path);
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM span").get();
  expect(await scope.deleteExecution("secret")).toBe(true);
  expect(filesWith(path)).not.toEqual([]);
  expect((await scope.write([makeSpan()])).written).toBe(1);
  reader.exec("COMMIT");
  reader.close();
  await store.close();
  expect(filesWith(path)).toEqual([]);
});

/** 20 spans to be deleted, of three sizes, and 20 that stay between them. */
function spansOf(batch: number): SpanRecord[] {
  return Array.from({ length: 20 }, (_, index) => {
    const number = 100 * batch + index;
    const own = { spanId: (number + 1).toString(16).padStart(16, "0"), traceId: "a".repeat(32) };
    const text = `${CANARY} `.repeat([1, 40, 4_000][index % 3] ?? 1);
    return [
      makeSpan({
        ...own,
        executionId: "secret",
        name: `name ${CANARY}`,
        workflowName: `workflow ${CANARY}`,
        threadId: `thread ${CANARY}`,
        input: textContent(text),
        output: jsonContent({ text }),
        attributes: { note: text },
        status: { code: "error", message: `failed ${CANARY}` },
      }),
      makeSpan({ ...own, traceId: "b".repeat(32), executionId: "kept", input: textContent("y".repeat(300)) }),
    ];
  }).flat();
}

function running({ endTime, output, ...span }: SpanRecord): SpanRecord {
  return span;
}

/** Which of the database's files hold the canary. */
function filesWith(path: string): string[] {
  return ["", "-wal", "-shm"].filter(
    (ending) => existsSync(path + ending) && readFileSync(path + ending).includes(CANARY),
  );
}
