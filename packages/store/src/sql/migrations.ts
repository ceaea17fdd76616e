import { SpanloomError } from "@spanloom/model";
import { APPLICATION_ID, SCHEMA_V1, SCHEMA_V2, STORE_SCHEMA_VERSION } from "./schema.ts";

/** What a migration needs of a database. */
export interface MigrationTarget {
  exec(sql: string): void;
  /** The first column of the first row. */
  scalar(sql: string): unknown;
}

/** One step from a version of the tables to the next. */
export interface SqliteMigration {
  /** The version that it leads to. */
  version: number;
  /** What it does, and how long that takes. */
  does: string;
  /** Everything it takes, the version's mark included; to be run in one transaction. */
  sql: string;
}

/**
 * What brings a database file to each version, from the one before, as plain SQL: for hosts that let no library change
 * tables at run time. Run those above the file's `PRAGMA user_version`, in their order, each in a transaction; then open
 * the store with `migrations: "refuse"`. A step never changes once it is released: a mistake is mended by the next.
 */
export const sqliteMigrations: readonly SqliteMigration[] = [
  step(1, "Makes the tables of executions, spans and sums.", SCHEMA_V1),
  step(
    2,
    "Adds the tables of analytics and the marks of retention. Reads each execution's row once (two seconds for a million), no span.",
    SCHEMA_V2,
  ),
];

function step(version: number, does: string, sql: string): SqliteMigration {
  const marks = `PRAGMA application_id = ${APPLICATION_ID};\nPRAGMA user_version = ${version};\n`;
  return { version, does, sql: sql.trimStart() + marks };
}

const MARKS = `SELECT (SELECT application_id FROM pragma_application_id) || ' ' ||
  (SELECT user_version FROM pragma_user_version) || ' ' || (SELECT count(*) FROM sqlite_master)`;

/**
 * Whether the file must be migrated. Only reads, so that a file that is not ours stays as it is.
 * Throws `schema_mismatch` for a newer version's file and for another application's.
 */
export function needsMigration(database: MigrationTarget): boolean {
  // One statement sees one state: another process may be making the tables meanwhile.
  const marks = String(database.scalar(MARKS)).split(" ");
  const [application = 0, version = 0, tables = 0] = marks.map(Number);
  if (tables === 0 && application === 0 && version === 0) return true;
  if (application !== APPLICATION_ID) {
    throw new SpanloomError("schema_mismatch", {
      what: "The database holds the tables of another application.",
      why: "Spanloom keeps its traces in a file of its own.",
      fix: "Give the store another path.",
    });
  }
  if (version > STORE_SCHEMA_VERSION) {
    throw new SpanloomError("schema_mismatch", {
      what: `The database has schema version ${version}; this version of @spanloom/store knows up to ${STORE_SCHEMA_VERSION}.`,
      why: "A newer version of Spanloom has written it.",
      fix: "Upgrade @spanloom/store. The file was not changed.",
    });
  }
  return version < STORE_SCHEMA_VERSION;
}

/** What a host is told that lets no library change its tables, and has not changed them itself. */
export function migrationRefused(database: MigrationTarget): SpanloomError {
  const version = Number(database.scalar("PRAGMA user_version"));
  return new SpanloomError("schema_mismatch", {
    what: `The database has schema version ${version}; this version of @spanloom/store needs ${STORE_SCHEMA_VERSION}.`,
    why: 'The option migrations is "refuse", so the file was not changed.',
    fix: `Run the SQL of sqliteMigrations (@spanloom/store/sqlite) above version ${version} on the file, or leave the option out.`,
  });
}

/** Brings the file to the newest version in one transaction, also while other processes try the same. */
export function migrate(database: MigrationTarget): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    if (needsMigration(database)) {
      const version = Number(database.scalar("PRAGMA user_version"));
      for (const step of sqliteMigrations) if (step.version > version) database.exec(step.sql);
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
