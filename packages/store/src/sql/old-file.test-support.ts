import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SpanRecord } from "@spanloom/model";
import { createSqliteStore } from "../adapters/sqlite.ts";
import { RELEASED_V1, RELEASED_V1_MARKS } from "./released-v1.test-support.ts";

/**
 * A file as version 1 left it behind: its own tables, with the rows that it wrote. Writing has not changed since, so the
 * rows come from a store of today, but for what version 1 had no column for.
 */
export async function makeV1File(
  path: string,
  scope: string,
  batches: readonly (readonly SpanRecord[])[],
): Promise<void> {
  const today = `${path}.today`;
  const store = createSqliteStore({ path: today, worker: false, retention: false });
  for (const batch of batches) await store.forScope(scope).write(batch);
  await store.close();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL");
  database.exec(`BEGIN; ${RELEASED_V1} ${RELEASED_V1_MARKS}; COMMIT`);
  database.exec(`ATTACH '${today.replaceAll("'", "''")}' AS today`);
  const tables = database.prepare("SELECT name FROM main.sqlite_master WHERE type = 'table'").all();
  for (const { name } of tables) {
    const columns = database
      .prepare(`SELECT name FROM pragma_table_info('${name}', 'main')`)
      .all()
      .map((column) => column.name);
    const list = columns.join(", ");
    database.exec(`INSERT INTO main.${name} (${list}) SELECT ${list} FROM today.${name}`);
  }
  database.close();
  rmSync(today);
}
