import { SpanloomError } from "@spanloom/model";
import type { Database, Session } from "./database.ts";
import { lockOf } from "./locks.ts";
import { POSTGRES_SCHEMA_VERSION, postgresMigrations, quoteName } from "./schema.ts";

/**
 * Sees to the tables: brings them to the newest version, one process at a time, or refuses to. Throws `schema_mismatch` where they
 * are of a newer version, of another application, or where they are not there and may not be made.
 */
export async function migrate(db: Database, schema: string, mode: "run" | "refuse"): Promise<void> {
  // Almost always there is nothing to do: no lock for that.
  const version = await db.read((session) => versionOf(session, schema));
  if (version === POSTGRES_SCHEMA_VERSION) return;
  if (mode === "refuse") throw missing(schema, version);
  await db.write(lockOf(schema), async (session) => {
    const [[encoding] = []] = await session.ask("SHOW server_encoding");
    if (encoding !== "UTF8") throw wrongEncoding(String(encoding));
    const from = await versionOf(session, schema);
    for (const step of postgresMigrations(schema)) {
      if (step.version <= from) continue;
      // CREATE SCHEMA wants a right on the database even where the schema is there.
      const made = await schemaExists(session, schema);
      await session.exec(made ? step.sql.replace(/^CREATE SCHEMA [^;]*;/, "") : step.sql);
    }
  });
}

/** 0 where the tables are not there. */
async function versionOf(session: Session, schema: string): Promise<number> {
  // Read from the catalogue itself: a name that was looked up before is remembered as absent while others make it.
  const tables = await session.ask(
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = $1 AND tablename = 'migration'",
    schema,
  );
  if (tables.length === 0) return 0;
  const [[found] = []] = await session.ask(`SELECT max(version) FROM ${quoteName(schema)}.migration`);
  const version = Number(found ?? 0);
  if (version > POSTGRES_SCHEMA_VERSION) {
    throw new SpanloomError("schema_mismatch", {
      what: `The schema ${schema} has version ${version}; this version of @spanloom/store knows up to ${POSTGRES_SCHEMA_VERSION}.`,
      why: "A newer version of Spanloom has made it.",
      fix: "Upgrade @spanloom/store. Nothing was changed.",
    });
  }
  return version;
}

async function schemaExists(session: Session, schema: string): Promise<boolean> {
  return (await session.ask("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema)).length > 0;
}

function missing(schema: string, version: number): SpanloomError {
  return new SpanloomError("schema_mismatch", {
    what: `The schema ${schema} has version ${version}, and version ${POSTGRES_SCHEMA_VERSION} is needed.`,
    why: 'The store was opened with migrations "refuse".',
    fix: 'Apply the SQL of postgresMigrations(), or open the store once with migrations "run".',
  });
}

function wrongEncoding(encoding: string): SpanloomError {
  return new SpanloomError("schema_mismatch", {
    what: `The database stores text as ${encoding}.`,
    why: "Traces hold text of every language, which only UTF8 keeps.",
    fix: "Create a database with encoding UTF8.",
  });
}
