import { SpanloomError } from "@spanloom/model";
import type { RetentionOptions } from "../../retention.ts";
import type { PostgresPool } from "./client.ts";
import { createDatabase, type Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { createNames, type Names } from "./names.ts";
import { quoteName } from "./schema.ts";

interface CommonOptions {
  /** The schema that holds the tables: `spanloom` where absent. Stores with the same one see the same traces. */
  schema?: string;
  /**
   * `run` (where absent) makes the tables and brings an older version's up to date, one process at a time. `refuse` leaves
   * that to the host, which applies `postgresMigrations()`: the store then only checks.
   */
  migrations?: "run" | "refuse";
  /**
   * How long executions and sums are kept: 90 and 800 days where absent. `false` keeps everything. What is older goes in
   * short steps, when the store was opened and then every hour.
   */
  retention?: RetentionOptions | false;
  /** How long one statement may take, waiting for locks included: 30,000 ms where absent. Then the call rejects with `timed_out`. */
  statementTimeoutMs?: number;
  /** Whether the server keeps plans by name: true where absent. Poolers that share connections between transactions may forbid it. */
  preparedStatements?: boolean;
  /**
   * Whether commits wake watchers in other processes, by NOTIFY and, while somebody watches, LISTEN on a connection of its own.
   * True where absent; without it they find changes when they ask.
   */
  notify?: boolean;
  /** Gets what went wrong with retention. `console.warn` where absent. */
  onProblem?: (problem: SpanloomError) => void;
}

/** Either a pool of the host's or where to connect to. */
export type PostgresStoreOptions = CommonOptions &
  (
    | {
        /** A `pg` Pool, or what looks like one. The store never ends it. */
        pool: PostgresPool;
        connectionString?: undefined;
      }
    | {
        /** As `postgres://user:password@host:5432/database`. The store makes a pool of its own, with the package `pg`, and ends it. */
        connectionString: string;
        pool?: undefined;
        /** The most connections of that pool: 10 where absent. */
        maxConnections?: number;
      }
  );

/** What the store works with once it is open. */
export interface Opened {
  db: Database;
  names: Names;
  pool: PostgresPool;
}

export interface Opening {
  /** The schema's name as it is, and as SQL. */
  schema: string;
  sqlSchema: string;
  /** Connects and sees to the tables; once, unless it failed. */
  open(): Promise<Opened>;
  /** Ends the pool where it is the store's own. */
  end(): Promise<void>;
}

/** Throws `invalid_argument` for options that cannot be used. */
export function createOpening(options: PostgresStoreOptions): Opening {
  const {
    schema = "spanloom",
    migrations = "run",
    statementTimeoutMs = 30_000,
    preparedStatements = true,
  } = options;
  checkOptions(options, schema, migrations, statementTimeoutMs);
  let own: Promise<OwnPool> | undefined;
  const poolOf = async (): Promise<PostgresPool> => {
    if (options.pool !== undefined) return options.pool;
    own ??= createPool(options.connectionString, options.maxConnections ?? 10);
    return own;
  };
  const connect = async (): Promise<Opened> => {
    const pool = await poolOf();
    const db = createDatabase({ pool, statementTimeoutMs, prepare: preparedStatements });
    await migrate(db, schema, migrations);
    return { db, names: createNames(quoteName(schema)), pool };
  };
  let opened: Promise<Opened> | undefined;
  return {
    schema,
    sqlSchema: quoteName(schema),
    open: () => {
      opened ??= connect().catch((error: unknown) => {
        opened = undefined;
        throw error;
      });
      return opened;
    },
    end: async () => {
      const pool = await own?.catch(() => undefined);
      await pool?.end();
    },
  };
}

interface OwnPool extends PostgresPool {
  end(): Promise<void>;
  on(event: "error", listener: () => void): unknown;
}

interface PgModule {
  Pool: new (options: object) => OwnPool;
}

async function createPool(connectionString: string, max: number): Promise<OwnPool> {
  const { Pool } = await loadPg();
  const pool = new Pool({
    connectionString,
    max,
    application_name: "spanloom",
    connectionTimeoutMillis: 10_000,
  });
  // A kept connection that breaks is replaced by the next call; without a listener it would end the process.
  pool.on("error", () => {});
  return pool;
}

async function loadPg(): Promise<PgModule> {
  try {
    // Named by a variable, so that no bundler looks for what a host may not have.
    const name = "pg";
    const loaded = (await import(name)) as { default: PgModule };
    return loaded.default;
  } catch (cause) {
    throw new SpanloomError("missing_dependency", {
      what: "The package pg cannot be loaded.",
      why: cause instanceof Error ? cause.message.split("\n")[0] : undefined,
      fix: "Install pg (version 8), or pass a pool of your own.",
      cause,
    });
  }
}

function checkOptions(
  { pool, connectionString }: PostgresStoreOptions,
  schema: string,
  migrations: string,
  statementTimeoutMs: number,
): void {
  if (pool === undefined && (typeof connectionString !== "string" || connectionString === "")) {
    throw invalidOption("connectionString", "Either it or a pool is needed.");
  }
  // Postgres cuts longer names, and then two of them may be one.
  if (
    typeof schema !== "string" ||
    schema === "" ||
    Buffer.byteLength(schema) > 63 ||
    /\p{Cc}|\p{Surrogate}/u.test(schema)
  ) {
    throw invalidOption(
      "schema",
      "It must be the name of a schema: 1 to 63 bytes without control characters.",
    );
  }
  if (migrations !== "run" && migrations !== "refuse") {
    throw invalidOption("migrations", 'It must be "run" or "refuse".');
  }
  if (!Number.isInteger(statementTimeoutMs) || statementTimeoutMs < 1 || statementTimeoutMs > 2 ** 31 - 1) {
    throw invalidOption("statementTimeoutMs", "It must be a whole number of milliseconds above 0.");
  }
}

function invalidOption(name: string, why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `The option ${name} of createPostgresStore cannot be used.`,
    why,
    fix: "Correct it, or leave optional ones out.",
  });
}
