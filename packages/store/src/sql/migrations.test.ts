import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { makeSpan } from "@spanloom/model/fixtures";
import { describe, expect, test } from "vitest";
import { temporaryFiles } from "../adapters/sqlite/temporary-file.test-support.ts";
import { createSqliteStore, type SqliteStoreOptions, sqliteMigrations } from "../adapters/sqlite.ts";
import { checkExecution, Expected } from "../testing/expected.ts";
import { randomHistory } from "../testing/index.ts";
import { checkSums } from "../testing/old-runs.ts";
import { makeV1File } from "./old-file.test-support.ts";
import { RELEASED_V1 } from "./released-v1.test-support.ts";

const file = temporaryFiles();
const window = { days: 14, timeZone: "Europe/Prague", lastDay: "2026-04-06" };

test("a released step is what it was", () => {
  expect(sqliteMigrations[0]?.sql.startsWith(RELEASED_V1.trimStart())).toBe(true);
  expect(sqliteMigrations.map(({ version }) => version)).toEqual([1, 2]);
});

describe.each(["node:sqlite", "better-sqlite3"] as const)("through %s", (driver) => {
  const open = (path: string, options: Partial<SqliteStoreOptions> = {}) =>
    createSqliteStore({ path, driver, worker: false, retention: false, ...options });

  test("a file of version 1 goes on with every answer, also those that it could not give", async () => {
    for (const seed of [21, 22, 23]) {
      const path = file(`v1-${driver.length}-${seed}.db`);
      const { batches, executionIds } = randomHistory(seed);
      const expected = new Expected();
      expected.add(batches.flat());
      await makeV1File(path, "scope", batches);
      const store = open(path);
      const scope = store.forScope("scope");
      for (const id of executionIds) await checkExecution(scope, expected, id);
      await checkSums(scope, expected, window);
      expect((await scope.recompute()).corrected).toEqual([]);
      const more = randomHistory(seed + 100).batches;
      for (const batch of more) await scope.write(batch);
      expected.add(more.flat());
      await checkSums(scope, expected, window);
      expect((await scope.recompute()).corrected).toEqual([]);
      await store.close();
    }
  });

  test("a file that was brought up to date has the tables of a new one", async () => {
    const old = file(`old-${driver.length}.db`);
    const fresh = file(`fresh-${driver.length}.db`);
    await makeV1File(old, "scope", [[makeSpan()]]);
    for (const path of [old, fresh]) {
      const store = open(path);
      await store.forScope("scope").listExecutions();
      await store.close();
    }
    expect(tablesOf(old)).toEqual(tablesOf(fresh));
  });

  test("a host may run the plain SQL itself, and the store then changes no table", async () => {
    const path = file(`by-hand-${driver.length}.db`);
    const refusing = open(path, { migrations: "refuse" });
    await expect(refusing.forScope("scope").write([makeSpan()])).rejects.toMatchObject({
      code: "schema_mismatch",
      fix: expect.stringContaining("sqliteMigrations"),
    });
    await refusing.close();
    expect(existsSync(path) ? tablesOf(path) : []).toEqual([]);

    const database = new DatabaseSync(path);
    for (const { sql } of sqliteMigrations) database.exec(`BEGIN; ${sql} COMMIT`);
    database.close();
    const before = tablesOf(path);
    const store = open(path, { migrations: "refuse" });
    expect((await store.forScope("scope").write([makeSpan()])).written).toBe(1);
    await store.close();
    expect(tablesOf(path)).toEqual(before);
  });

  test("an older file is left as it is where the host lets nothing change it", async () => {
    const path = file(`refused-${driver.length}.db`);
    await makeV1File(path, "scope", [[makeSpan()]]);
    const before = digest(path);
    const store = open(path, { migrations: "refuse" });
    await expect(store.forScope("scope").listExecutions()).rejects.toMatchObject({
      code: "schema_mismatch",
      what: expect.stringContaining("version 1"),
    });
    await store.close();
    expect(digest(path)).toBe(before);
  });
});

/** Columns of every table, and every index. */
function tablesOf(path: string): unknown[] {
  const database = new DatabaseSync(path);
  const objects = database
    .prepare("SELECT type, name, tbl_name FROM sqlite_master ORDER BY type, name")
    .all() as { type: string; name: string; tbl_name: string }[];
  const described = objects.map(({ type, name, tbl_name }) => [
    type,
    name,
    tbl_name,
    database.prepare(`PRAGMA ${type === "index" ? "index_xinfo" : "table_xinfo"}("${name}")`).all(),
  ]);
  database.close();
  return described;
}

function digest(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
