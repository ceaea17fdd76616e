import { type MigrationTarget, migrate, migrationRefused, needsMigration } from "../../sql/migrations.ts";
import { type Database, openDatabase, type SqliteDriverName, type Statement } from "./driver.ts";
import { toStoreError } from "./errors.ts";

export interface ConnectionOptions {
  path: string;
  durability: "process-crash" | "power-loss";
  driver?: SqliteDriverName;
  /** Whether the tables may be made and changed. */
  migrations: "run" | "refuse";
}

/** How long a call waits for another process's transaction. */
const BUSY_TIMEOUT_MS = 5000;
/** Of new files. A span is about a kilobyte and more: on SQLite's own 4 KiB, rows leave a tenth of each page empty. */
const PAGE_BYTES = 8192;
/** Pages after which the write-ahead log goes into the file: 16 MiB. */
const CHECKPOINT_PAGES = 2000;
const CACHE_KIB = 32_768;
/** For what can wait or be done another way: emptying the log (which holds up all writers), answers about statistics. */
const SHORT_TIMEOUT_MS = 500;

/** One open file: prepared statements, kept by their text, and transactions. */
export interface Connection {
  readonly database: Database;
  statement(sql: string): Statement;
  /** Runs `work` on one snapshot. */
  read<T>(work: () => T): T;
  /** Runs `work` in one transaction, alone among all processes: all of it is stored, or nothing. */
  write<T>(work: () => T): T;
  /** The same for `work` that can be done another way: gives up soon where another process writes. */
  writeSoon<T>(work: () => T): T;
  /** The same for `work` that nobody waits for: gives up at once where another process writes. */
  writeIfFree<T>(work: () => T): T;
  /**
   * Brings the write-ahead log into the file and empties it, so that nothing deleted can be read there. Waits shortly for
   * readers of other connections; with one that stays, the log keeps what it holds until the next call or the last close.
   */
  emptyLog(): void;
  close(): void;
}

/** Opens the file, makes or upgrades its tables. Throws errors of the family; a file that is not ours stays as it is. */
export function openConnection(options: ConnectionOptions): Connection {
  try {
    const database = openDatabase(options.path, options.driver);
    try {
      prepareFile(database, options);
    } catch (error) {
      database.close();
      throw error;
    }
    return createConnection(database, options.path);
  } catch (error) {
    throw toStoreError(error, options.path);
  }
}

function createConnection(database: Database, path: string): Connection {
  const statements = new Map<string, Statement>();
  const transaction = <T>(begin: string, work: () => T): T => {
    try {
      database.exec(begin);
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        rollBack(database);
        throw error;
      }
    } catch (error) {
      throw toStoreError(error, path);
    }
  };
  const waiting = <T>(timeoutMs: number, work: () => T): T => {
    database.exec(`PRAGMA busy_timeout = ${timeoutMs}`);
    try {
      return work();
    } finally {
      database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  };
  return {
    database,
    statement: (sql) => {
      let statement = statements.get(sql);
      if (statement === undefined) {
        statement = database.prepare(sql);
        statements.set(sql, statement);
      }
      return statement;
    },
    read: (work) => transaction("BEGIN", work),
    write: (work) => transaction("BEGIN IMMEDIATE", work),
    writeSoon: (work) => waiting(SHORT_TIMEOUT_MS, () => transaction("BEGIN IMMEDIATE", work)),
    writeIfFree: (work) => waiting(0, () => transaction("BEGIN IMMEDIATE", work)),
    emptyLog: () => {
      try {
        waiting(SHORT_TIMEOUT_MS, () => database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
      } catch {
        // What was deleted stays deleted; a disk that fails says so to the next call.
      }
    },
    close: () => {
      statements.clear();
      database.close();
    },
  };
}

/** SQLite has rolled back by itself after a full disk and some I/O errors; then there is nothing left to do. */
function rollBack(database: Database): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // The first error is the one to tell.
  }
}

function prepareFile(database: Database, { durability, migrations }: ConnectionOptions): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const target: MigrationTarget = {
    exec: (sql) => database.exec(sql),
    scalar: (sql) => (database.prepare(sql).get() as unknown[] | undefined)?.[0],
  };
  // Before anything that writes, so that a file that is not ours is left alone.
  const old = needsMigration(target);
  if (old && migrations === "refuse") throw migrationRefused(target);
  if (old) database.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
  useWriteAheadLog(target);
  const synchronous = durability === "power-loss" ? "FULL" : "NORMAL";
  // Zeros over what is deleted or replaced. Always on: pages that an ordinary write sets free hold old content, too, and
  // it costs no measurable time.
  database.exec("PRAGMA secure_delete = ON");
  database.exec(
    `PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = -${CACHE_KIB}; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
  );
  if (old) migrate(target);
}

/** Changing the journal mode does not wait for others by itself. */
function useWriteAheadLog(target: MigrationTarget): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const deadline = Date.now() + BUSY_TIMEOUT_MS; ; ) {
    try {
      target.scalar("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!/locked|busy/i.test(String(error)) || Date.now() > deadline) throw error;
      Atomics.wait(pause, 0, 0, 10);
    }
  }
}
