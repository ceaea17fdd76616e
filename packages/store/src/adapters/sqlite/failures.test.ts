import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { makeSpan, textContent } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { createSqliteStore } from "../sqlite.ts";
import { openConnection } from "./connection.ts";
import { createEngine } from "./engine.ts";
import { temporaryFiles } from "./temporary-file.test-support.ts";

const file = temporaryFiles();

test("a full disk rejects the write whole, and reads go on", () => {
  for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
    const db = openConnection({
      path: file(`full-${driver.length}.db`),
      durability: "process-crash",
      migrations: "run",
      driver,
    });
    const engine = createEngine(db);
    engine.write("scope", [makeSpan({ executionId: "before" })]);
    const [pages] = db.database.prepare("PRAGMA page_count").get() as [number];
    db.database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const big = Array.from({ length: 50 }, (_, index) =>
      makeSpan({
        executionId: "during",
        traceId: "d".repeat(32),
        spanId: (index + 1).toString(16).padStart(16, "0"),
        input: textContent("x".repeat(5000)),
      }),
    );
    expect(() => engine.write("scope", big)).toThrow(expect.objectContaining({ code: "store_full" }));
    expect(engine.getExecution("scope", "during")).toBeUndefined();
    expect(engine.getExecution("scope", "before")?.spanCount).toBe(1);
    // Its statistics may find no room to be kept; the answer needs none.
    const today = { days: 1, timeZone: "UTC", lastDay: "2026-11-20", groupBy: "nodeType" } as const;
    expect(engine.getAnalytics("scope", today)?.total.executions?.total).toBe(1);
    expect(engine.searchSpans("scope", "before", { text: "span" })?.items.length).toBe(1);
    db.database.exec("PRAGMA max_page_count = 1000000");
    expect(engine.write("scope", big).receipt.written).toBe(50);
    expect(engine.recompute("scope").corrected).toEqual([]);
    engine.close();
  }
});

test("a database that cannot be written says so, and reads go on", () => {
  for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
    const path = file(`read-only-${driver.length}.db`);
    const db = openConnection({ path, durability: "process-crash", migrations: "run", driver });
    const engine = createEngine(db);
    engine.write("scope", [makeSpan()]);
    // What SQLite answers for a file or folder without the right to write; root has that right everywhere.
    db.database.exec("PRAGMA query_only = ON");
    const refused = { code: "store_failed", what: expect.stringContaining("cannot be written") };
    expect(() => engine.write("scope", [makeSpan({ spanId: "00000000000000b2" })])).toThrow(
      expect.objectContaining(refused),
    );
    expect(engine.getExecution("scope", "execution-1")?.spanCount).toBe(1);
    engine.close();
  }
});

test("a file that another process keeps locked fails clearly, and works again afterwards", async () => {
  const path = file("locked.db");
  const store = createSqliteStore({ retention: false, path });
  const scope = store.forScope("scope");
  await scope.write([makeSpan()]);
  const other = new DatabaseSync(path);
  // The store may be adding up what was written.
  other.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
  const write = scope.write([makeSpan({ spanId: "00000000000000b2" })]);
  await expect(write).rejects.toMatchObject({
    code: "store_failed",
    what: expect.stringContaining("locked"),
  });
  other.exec("ROLLBACK");
  other.close();
  expect((await scope.write([makeSpan({ spanId: "00000000000000b2" })])).written).toBe(1);
  await store.close();
});

test("a file that is no database is refused and stays as it is", async () => {
  for (const worker of [true, false]) {
    const path = file(`no-database-${worker}.db`);
    writeFileSync(path, "These are somebody's notes, not a database. ".repeat(100));
    const before = digest(path);
    const store = createSqliteStore({ retention: false, path, worker });
    const error = { code: "store_failed", what: expect.stringContaining("no SQLite database") };
    await expect(store.forScope("scope").write([makeSpan()])).rejects.toMatchObject(error);
    await expect(store.forScope("scope").listExecutions()).rejects.toMatchObject(error);
    await store.close();
    expect(digest(path)).toBe(before);
  }
});

test("another application's database and a newer version's are refused and stay as they are", async () => {
  const foreign = file("foreign.db");
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE invoices (id INTEGER); INSERT INTO invoices VALUES (1)");
  database.close();
  const newer = file("newer.db");
  const ours = createSqliteStore({ retention: false, path: newer, worker: false });
  await ours.forScope("scope").write([makeSpan()]);
  await ours.close();
  const later = new DatabaseSync(newer);
  later.exec("PRAGMA user_version = 99");
  later.close();
  for (const path of [foreign, newer]) {
    const before = digest(path);
    const store = createSqliteStore({ retention: false, path, worker: false });
    await expect(store.forScope("scope").write([makeSpan()])).rejects.toMatchObject({
      code: "schema_mismatch",
    });
    await store.close();
    expect(digest(path)).toBe(before);
  }
});

test("an empty file becomes a store; a folder that is not there is named", async () => {
  const path = file("empty.db");
  writeFileSync(path, "");
  const store = createSqliteStore({ retention: false, path, worker: false });
  expect((await store.forScope("scope").write([makeSpan()])).written).toBe(1);
  await store.close();
  for (const driver of ["node:sqlite", "better-sqlite3"] as const) {
    const lost = createSqliteStore({
      retention: false,
      path: file("no/such/folder.db"),
      worker: false,
      driver,
    });
    await expect(lost.forScope("scope").listExecutions()).rejects.toMatchObject({
      code: "store_failed",
      what: expect.stringContaining("cannot be opened"),
    });
  }
});

test("a damaged file says so", async () => {
  const path = file("damaged.db");
  const store = createSqliteStore({ retention: false, path, worker: false });
  const spans = Array.from({ length: 300 }, (_, index) =>
    makeSpan({ spanId: (index + 1).toString(16).padStart(16, "0"), input: textContent("y".repeat(2000)) }),
  );
  await store.forScope("scope").write(spans);
  await store.close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 4096 * 2);
  writeFileSync(path, bytes);
  const damaged = createSqliteStore({ retention: false, path, worker: false });
  await expect(damaged.forScope("scope").getTrace("execution-1", { view: "full" })).rejects.toMatchObject({
    code: "store_failed",
    what: expect.stringContaining("damaged"),
  });
  await damaged.close();
});

test("a worker that dies rejects what is under way, and the next call starts another", async () => {
  const dying = file("dying-worker.mjs");
  const marker = file("died-once");
  const real = new URL("../sqlite-worker.ts", import.meta.url).href;
  writeFileSync(
    dying,
    `import { existsSync, writeFileSync } from "node:fs";
     if (existsSync(${JSON.stringify(marker)})) await import(${JSON.stringify(real)});
     else {
       const { parentPort } = await import("node:worker_threads");
       parentPort.on("message", () => { writeFileSync(${JSON.stringify(marker)}, ""); throw new Error("out of memory"); });
     }`,
  );
  const store = createSqliteStore({
    retention: false,
    path: file("dying.db"),
    workerUrl: pathToFileURL(dying),
  });
  const scope = store.forScope("scope");
  const calls = [scope.write([makeSpan()]), scope.listExecutions()];
  for (const result of await Promise.allSettled(calls)) {
    expect(result).toMatchObject({
      status: "rejected",
      reason: { name: "SpanloomError", code: "store_failed", why: expect.stringContaining("out of memory") },
    });
  }
  expect((await scope.write([makeSpan()])).written).toBe(1);
  await store.close();
});

test("a worker that cannot be loaded says what to do", async () => {
  const store = createSqliteStore({
    retention: false,
    path: file("x.db"),
    workerUrl: pathToFileURL(file("not-there.mjs")),
  });
  await expect(store.forScope("scope").listExecutions()).rejects.toMatchObject({
    code: "store_failed",
    fix: expect.stringContaining("worker: false"),
  });
  await store.close();
});

test("close waits for writes under way; then the store is closed, for good", async () => {
  const path = file("closing.db");
  const store = createSqliteStore({ retention: false, path });
  const scope = store.forScope("scope");
  const write = scope.write([makeSpan()]);
  await store.close();
  expect((await write).written).toBe(1);
  await expect(scope.write([makeSpan()])).rejects.toMatchObject({ code: "store_closed" });
  expect(() => store.forScope("other")).toThrow(expect.objectContaining({ code: "store_closed" }));

  const again = createSqliteStore({ retention: false, path });
  expect((await again.forScope("scope").getTrace("execution-1"))?.spanCount).toBe(1);
  await again.close();
});

test("records that cannot cross to the worker are rejected alone", async () => {
  const store = createSqliteStore({ retention: false, path: file("poison.db") });
  const poison = { ...makeSpan({ spanId: "00000000000000b2" }), attributes: { callback: () => {} } };
  const records = [makeSpan(), poison as never, makeSpan({ spanId: "00000000000000b3" })];
  const receipt = await store.forScope("scope").write(records);
  expect(receipt).toMatchObject({ written: 2, rejected: [{ index: 1, code: "invalid_record" }] });
  await store.close();
});

test("options that cannot be used are refused at once", () => {
  for (const options of [
    { path: "" },
    { path: "x", durability: "forever" },
    { path: "x", driver: "sqlite3" },
    { path: "x", migrations: "ask" },
  ]) {
    expect(() => createSqliteStore({ retention: false, ...(options as object) } as never)).toThrow(
      expect.objectContaining({ code: "invalid_argument" }),
    );
  }
});

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
