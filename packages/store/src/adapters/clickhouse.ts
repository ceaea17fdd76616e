import { SpanloomError, type StoreCapabilities, type TraceStore } from "@spanloom/model";
import { createBackedStore } from "../ledger/backed-store.ts";
import type { KeepRetentionOptions, RetentionOptions } from "../retention.ts";
import { type ClickHouseClient, createDatabase } from "./clickhouse/client.ts";
import { prepare } from "./clickhouse/schema.ts";
import { ClickHouseBacking } from "./clickhouse/scope-backing.ts";

export type { ClickHouseClient } from "./clickhouse/client.ts";
export { CLICKHOUSE_SCHEMA_VERSION, clickhouseSchema } from "./clickhouse/schema.ts";

export interface ClickHouseStoreOptions {
  /** Of `@clickhouse/client`. The host closes it. */
  client?: ClickHouseClient;
  /** Or where the server is, `http://user:password@host:8123`: a client is made, for which `@clickhouse/client` must be installed. */
  url?: string;
  /** `spanloom` where absent. Letters, digits and `_`. */
  database?: string;
  /** `refuse` only checks that the tables are there: see `clickhouseSchema`. `run` where absent. */
  migrations?: "run" | "refuse";
  retention?: RetentionOptions | false;
  /** Gets what went wrong in the background. */
  onProblem?: KeepRetentionOptions["onProblem"];
}

/**
 * Keeps traces in ClickHouse: the store for very many executions. One process writes the spans of an execution at a time;
 * any number read. What changes is inserted again, and what was deleted or redacted leaves the disks when ClickHouse merges
 * its parts, some time later.
 *
 * Calls reject with `store_failed`, `store_full`, `timed_out`, `schema_mismatch`, `missing_dependency` or `store_closed`.
 * A write that rejects may have stored some of its spans: writing it again mends that. Throws `invalid_argument` for
 * options that cannot be used.
 */
export function createClickHouseStore(options: ClickHouseStoreOptions): TraceStore {
  const { database = "spanloom", migrations = "run", retention, onProblem } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(database)) {
    throw invalidOption("database", "It must be letters, digits and _, at most 100.");
  }
  const connect = clientOf(options);
  let prepared: Promise<void> | undefined;
  const bare = createDatabase(connect, database);
  const ready = async (): Promise<void> => {
    prepared ??= prepare(bare, database, migrations);
    try {
      await prepared;
    } catch (error) {
      prepared = undefined;
      throw error;
    }
  };
  const db: typeof bare = {
    name: bare.name,
    rows: async (query, params) => {
      await ready();
      return bare.rows(query, params);
    },
    insert: async (table, rows) => {
      await ready();
      await bare.insert(table, rows);
    },
    insertLines: async (table, columns, lines) => {
      await ready();
      await bare.insertLines(table, columns, lines);
    },
    command: async (query, params) => {
      await ready();
      await bare.command(query, params);
    },
    close: () => bare.close(),
  };
  return createBackedStore({
    name: "clickhouse",
    capabilities: CAPABILITIES,
    backing: (scope) => new ClickHouseBacking(db, scope),
    scopes: async () => {
      const rows = await db.rows<{ scope: string }>(
        `SELECT DISTINCT scope FROM ${db.name}.execution ORDER BY scope`,
      );
      return rows.map((row) => row.scope);
    },
    close: async () => {
      if (options.client === undefined) await db.close();
    },
    retention,
    ...(onProblem !== undefined && { onProblem }),
  });
}

const CAPABILITIES: StoreCapabilities = {
  durability: "process-crash",
  concurrentWriters: false,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 100_000,
};

function clientOf({ client, url }: ClickHouseStoreOptions): () => Promise<ClickHouseClient> {
  if ((client === undefined) === (url === undefined)) {
    throw invalidOption("client", "Either a client or a url must be given, not both.");
  }
  if (client !== undefined) return async () => client;
  return async () => {
    try {
      const { createClient } = await import("@clickhouse/client");
      return createClient({ url: url as string });
    } catch (error) {
      throw new SpanloomError("missing_dependency", {
        what: "The ClickHouse client is not installed.",
        why: "A store that is given a url makes its client with @clickhouse/client.",
        fix: "Install @clickhouse/client, or pass a client.",
        cause: error,
      });
    }
  };
}

function invalidOption(name: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The option ${name} of createClickHouseStore cannot be used.`,
    why,
    fix: "Correct it, or leave optional ones out.",
  });
}
