import { SpanloomError } from "@spanloom/model";
import { SUM_COLUMNS } from "../../sql/sums.ts";
import type { Database } from "./client.ts";

/** The version of the tables below. */
export const CLICKHOUSE_SCHEMA_VERSION = 1;

const sums = SUM_COLUMNS.map((column) => `${column} Int64`).join(", ");

/**
 * The tables of version 1, each statement alone.
 *
 * Nothing is updated in place: what changes is inserted again with a higher `version`, and the highest one of a key is what
 * holds. No column that may change stands in a key. `span` is read by the traces that its execution names, without `FINAL`.
 * Sums over time are not added up by writers: `usage_cell` and `execution_stats` hold what each execution adds, as it is
 * now, so that a repeated insert changes nothing. Both stay when their execution is pruned.
 *
 * @param database Where the tables are made; it is made, too, where it is missing.
 */
export function clickhouseSchema(database: string): string[] {
  const table = (name: string, columns: string, key: string, granularity = 8192): string =>
    `CREATE TABLE IF NOT EXISTS \`${database}\`.${name} (${columns}, version UInt64)
     ENGINE = ReplacingMergeTree(version) ORDER BY (${key}) SETTINGS index_granularity = ${granularity}`;
  return [
    `CREATE DATABASE IF NOT EXISTS \`${database}\``,
    table(
      "span",
      `scope String, trace_id String, span_id String, execution_id String, written_id String,
       ins_seq UInt64, seq UInt64, facts String CODEC(ZSTD(1)), skeleton String CODEC(ZSTD(1)), rest String CODEC(ZSTD(3))`,
      "scope, trace_id, span_id",
      // A trace is read by its key: large granules would read thousands of payloads beside it.
      512,
    ),
    table(
      "execution",
      `scope String, execution_id String, seq UInt64, hidden UInt8, deleted UInt8, trace_ids Array(String),
       start_time Int64, last_time Int64, workflow_id String, sort_name Nullable(String), thread_id Nullable(String),
       status String, duration_ms Nullable(Float64), nano_usd Nullable(Int64), node_count UInt32, span_count UInt32,
       search String, summary String CODEC(ZSTD(1))`,
      "scope, execution_id",
    ),
    table(
      "gone",
      "scope String, execution_id String, trace_id String, span_id String, seq UInt64, back UInt8",
      "scope, execution_id, trace_id, span_id",
    ),
    table("trace", "scope String, trace_id String, refuses_unnamed UInt8", "scope, trace_id"),
    table(
      "usage_cell",
      `scope String, bucket UInt64, execution_id String, model String, workflow_id String, ${sums}`,
      "scope, bucket, execution_id, model",
    ),
    table(
      "execution_stats",
      `scope String, execution_id String, workflow_id String, bucket UInt64, status LowCardinality(String), slot Int32,
       type_keys Array(String), type_sums Array(Array(Int64)),
       type_slot_keys Array(String), type_slots Array(Int32), type_counts Array(UInt32),
       model_slot_keys Array(String), model_slots Array(Int32), model_counts Array(UInt32)`,
      "scope, execution_id",
    ),
    table("retention", "scope String, before Int64, sums_before Int64", "scope"),
    table("schema_version", "one UInt8", "one"),
    `INSERT INTO \`${database}\`.schema_version (one, version) VALUES (1, ${CLICKHOUSE_SCHEMA_VERSION})`,
  ];
}

/** Makes the tables where they are missing. Throws `schema_mismatch` for those of a newer version, which stay as they are. */
export async function prepare(db: Database, database: string, migrations: "run" | "refuse"): Promise<void> {
  const found = await versionOf(db, database);
  if (found === CLICKHOUSE_SCHEMA_VERSION) return;
  if (found !== undefined && found > CLICKHOUSE_SCHEMA_VERSION) {
    throw new SpanloomError("schema_mismatch", {
      what: `The database has schema version ${found}; this version of @spanloom/store knows up to ${CLICKHOUSE_SCHEMA_VERSION}.`,
      why: "A newer version of Spanloom has written it.",
      fix: "Upgrade @spanloom/store. The tables were not changed.",
    });
  }
  if (migrations === "refuse") {
    throw new SpanloomError("schema_mismatch", {
      what: "The tables of Spanloom are not in the ClickHouse database.",
      why: 'The store was opened with migrations: "refuse".',
      fix: "Run the statements of `clickhouseSchema(database)` first.",
    });
  }
  for (const statement of clickhouseSchema(database)) await db.command(statement);
}

async function versionOf(db: Database, database: string): Promise<number | undefined> {
  const [tables] = await db.rows<{ n: number }>(
    "SELECT count() AS n FROM system.tables WHERE database = {database:String} AND name = 'schema_version'",
    { database },
  );
  if (tables?.n === 0) return undefined;
  const [row] = await db.rows<{ latest: number }>(
    `SELECT max(version) AS latest FROM ${db.name}.schema_version`,
  );
  return row?.latest === 0 ? undefined : row?.latest;
}
