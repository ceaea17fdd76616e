import { SpanloomError } from "@spanloom/model";
import { APPLICATION_ID, SCHEMA_V1, STORE_SCHEMA_VERSION } from "./schema.ts";

/** What a migration needs of a database. */
export interface MigrationTarget {
  exec(sql: string): void;
  /** The first column of the first row. */
  scalar(sql: string): unknown;
}

/** What brings a file to each version, from the one before. Never changed once released: a mistake is mended by the next. */
const STEPS: readonly { version: number; sql: string }[] = [{ version: 1, sql: SCHEMA_V1 }];

/**
 * Whether the file must be migrated. Only reads, so that a file that is not ours stays as it is.
 * Throws `schema_mismatch` for a newer version's file and for another application's.
 */
export function needsMigration(database: MigrationTarget): boolean {
  const application = Number(database.scalar("PRAGMA application_id"));
  const version = Number(database.scalar("PRAGMA user_version"));
  const tables = Number(database.scalar("SELECT count(*) FROM sqlite_master"));
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

/** Brings the file to the newest version in one transaction, also while other processes try the same. */
export function migrate(database: MigrationTarget): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    if (needsMigration(database)) {
      const version = Number(database.scalar("PRAGMA user_version"));
      for (const step of STEPS) if (step.version > version) database.exec(step.sql);
      database.exec(
        `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${STORE_SCHEMA_VERSION}`,
      );
    }
    database.exec("COMMIT");
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}
