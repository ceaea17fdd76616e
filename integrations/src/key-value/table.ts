import { DatabaseSync } from "node:sqlite";
import type { JsonValue, TraceStore } from "@spanloom/model";
import { createKeyValueStore, type KeyValue } from "./key-value-store.ts";

/** A table with two columns as an ordered map. */
export function openTable(path: string): KeyValue {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA secure_delete = ON;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  `);
  const find = database.prepare("SELECT value FROM entry WHERE key = ?");
  const range = database.prepare("SELECT key, value FROM entry WHERE key >= ? AND key < ? ORDER BY key");
  const put = database.prepare("INSERT OR REPLACE INTO entry (key, value) VALUES (?, ?)");
  const remove = database.prepare("DELETE FROM entry WHERE key = ?");
  return {
    async get(keys) {
      return keys.map((key) => (find.get(key) as { value: string } | undefined)?.value);
    },
    async under(prefix) {
      // "0" comes right after "/".
      const entries = range.all(prefix, `${prefix.slice(0, -1)}0`) as { key: string; value: string }[];
      return new Map(entries.map(({ key, value }) => [key, value]));
    },
    async commit(changes) {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const [key, value] of changes) value === undefined ? remove.run(key) : put.run(key, value);
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    async close() {
      database.close();
    },
  };
}

/** What the conformance kit opens, here and in the processes that it kills. */
export function open(path: JsonValue): TraceStore {
  return createKeyValueStore(openTable(String(path)), { retention: false });
}
