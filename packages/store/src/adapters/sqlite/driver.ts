import { createRequire } from "node:module";
import { SpanloomError } from "@spanloom/model";

export type SqliteDriverName = "node:sqlite" | "better-sqlite3";

export type SqlValue = string | number | null;

/** What both drivers' statements can do; rows come as arrays, in the order of the columns. */
export interface Statement {
  run(...values: SqlValue[]): { lastInsertRowid: number | bigint; changes: number | bigint };
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a file. Nothing is written to it yet. Throws the driver's own errors, and `missing_dependency`. */
export function openDatabase(path: string, driver: SqliteDriverName | undefined): Database {
  const builtin = driver === "better-sqlite3" ? undefined : nodeSqlite();
  if (builtin !== undefined) return openBuiltin(builtin, path);
  if (driver === "node:sqlite") {
    throw new SpanloomError("missing_dependency", {
      what: "The driver node:sqlite is not there.",
      why: `Node.js ${process.versions.node} has no built-in SQLite.`,
      fix: "Use Node.js 22.15 or newer, or install better-sqlite3 and leave the driver option out.",
    });
  }
  return openBetterSqlite(path);
}

interface BuiltinStatement extends Statement {
  setReturnArrays?(enabled: boolean): void;
}
interface BuiltinModule {
  DatabaseSync: new (
    path: string,
  ) => { exec(sql: string): void; prepare(sql: string): BuiltinStatement; close(): void };
}

function nodeSqlite(): BuiltinModule | undefined {
  // Asked for by name at run time: bundlers leave it alone, and runtimes without it give `undefined`.
  return process.getBuiltinModule?.("node:sqlite") as BuiltinModule | undefined;
}

function openBuiltin({ DatabaseSync }: BuiltinModule, path: string): Database {
  const database = new DatabaseSync(path);
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      if (statement.setReturnArrays === undefined) return withArrays(statement);
      statement.setReturnArrays(true);
      return statement;
    },
    close: () => database.close(),
  };
}

/** Node.js before 22.16 gives rows as objects; their members stand in the order of the columns. */
function withArrays(statement: Statement): Statement {
  return {
    run: (...values) => statement.run(...values),
    get: (...values) => {
      const row = statement.get(...values);
      return row === undefined ? undefined : Object.values(row as object);
    },
    all: (...values) => statement.all(...values).map((row) => Object.values(row as object)),
  };
}

interface BetterStatement extends Statement {
  reader: boolean;
  raw(enabled: boolean): void;
}
type BetterSqlite = new (
  path: string,
) => { exec(sql: string): void; prepare(sql: string): BetterStatement; close(): void };

function openBetterSqlite(path: string): Database {
  const Better = loadBetterSqlite();
  const database = new Better(path);
  return {
    exec: (sql) => {
      database.exec(sql);
    },
    prepare: (sql) => {
      const statement = database.prepare(sql);
      if (statement.reader) statement.raw(true);
      return statement;
    },
    close: () => {
      database.close();
    },
  };
}

function loadBetterSqlite(): BetterSqlite {
  try {
    return createRequire(import.meta.url)("better-sqlite3") as BetterSqlite;
  } catch (cause) {
    throw new SpanloomError("missing_dependency", {
      what: "The driver better-sqlite3 cannot be loaded.",
      why: cause instanceof Error ? cause.message.split("\n")[0] : undefined,
      fix: "Install better-sqlite3 (version 13), or use a Node.js with node:sqlite (22.15 or newer).",
      cause,
    });
  }
}
