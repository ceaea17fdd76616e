import { isSpanloomError, SpanloomError, type SpanloomErrorCode } from "@spanloom/model";

/** Turns what a driver throws into an error of the family. What the server said stays as the cause. */
export function toStoreError(error: unknown): SpanloomError {
  if (isSpanloomError(error)) return error;
  const state = stateOf(error);
  const known = KNOWN.find(({ states }) => states.some((prefix) => state?.startsWith(prefix)));
  if (known !== undefined) {
    const { code, what, why, fix } = known;
    return new SpanloomError(code, {
      what,
      why: why ?? `PostgreSQL says: ${saidBy(error)}.`,
      fix,
      cause: error,
    });
  }
  if (isConnectionLost(error)) {
    return new SpanloomError("store_failed", {
      what: "The PostgreSQL server cannot be reached.",
      why: `The connection failed: ${saidBy(error)}.`,
      fix: "Check that the server runs and that address and port are right. Nothing of this call was acknowledged; it may be repeated.",
      cause: error,
    });
  }
  return new SpanloomError("store_failed", {
    what: `The Postgres store failed${state === undefined ? "" : ` (SQLSTATE ${state})`}.`,
    why: `PostgreSQL says: ${saidBy(error)}.`,
    fix: "Look at the cause and at the server's log. Nothing of this call was stored.",
    cause: error,
  });
}

/** Another transaction was in the way: the same again may well succeed. */
export function isConflict(error: unknown): boolean {
  const state = stateOf(error);
  return state === "40001" || state === "40P01";
}

/** The connection is gone, or was not to be had: nothing is known of what it was doing. */
export function isConnectionLost(error: unknown): boolean {
  const state = stateOf(error);
  if (state !== undefined)
    return state.startsWith("08") || state === "57P01" || state === "57P02" || state === "57P03";
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && /^(E[A-Z]+|ERR_SOCKET.*)$/.test(error.code))
    return true;
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  return /connection|socket|not queryable/i.test(error.message);
}

interface KnownFailure {
  /** SQLSTATEs or their beginnings. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
  states: string[];
  code: SpanloomErrorCode;
  what: string;
  why?: string;
  fix: string;
}

const KNOWN: readonly KnownFailure[] = [
  {
    states: ["53100", "53200"],
    code: "store_full",
    what: "The PostgreSQL server has no room left: nothing of this write was stored.",
    fix: "Make room on the server's disk, then write again; what was stored before can still be read.",
  },
  {
    states: ["53300"],
    code: "store_failed",
    what: "The PostgreSQL server has no connection left.",
    fix: "Raise max_connections, make the pools smaller, or put a connection pooler in between.",
  },
  {
    states: ["28"],
    code: "store_failed",
    what: "The PostgreSQL server refuses to log in.",
    fix: "Check user and password, and the server's pg_hba.conf.",
  },
  {
    states: ["3D000"],
    code: "store_failed",
    what: "The PostgreSQL database is not there.",
    fix: "Create it, or correct the connection string.",
  },
  {
    states: ["42501"],
    code: "store_failed",
    what: "The PostgreSQL user lacks a right.",
    fix: "Grant it USAGE on the schema and SELECT, INSERT, UPDATE, DELETE on its tables, USAGE on its sequences; for migrations also CREATE.",
  },
  {
    states: ["42P01", "42703", "3F000"],
    code: "schema_mismatch",
    what: "The tables of the store are not there, or are not as this version needs them.",
    fix: 'Run the migrations: open the store with migrations "run", or apply the SQL of postgresMigrations().',
  },
  {
    states: ["42P07"],
    code: "schema_mismatch",
    what: "The schema holds tables of another application.",
    fix: "Give the store a schema of its own.",
  },
  {
    states: ["57014", "55P03"],
    code: "timed_out",
    what: "PostgreSQL did not answer in time: nothing of this call was stored.",
    fix: "Try again; if it stays, look for a transaction that holds locks, or raise statementTimeoutMs.",
  },
  {
    states: ["40001", "40P01"],
    code: "store_failed",
    what: "Other transactions were in the way, time after time: nothing of this call was stored.",
    fix: "Write again later.",
  },
  {
    states: ["25006"],
    code: "store_failed",
    what: "The PostgreSQL server is read-only: nothing of this write was stored.",
    fix: "Connect to the primary, not to a standby.",
  },
  {
    states: ["XX001", "XX002"],
    code: "store_failed",
    what: "The database is damaged.",
    fix: "Stop writing, and bring back a backup.",
  },
];

function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^E[A-Z]{4}$/.test(error.code) ? error.code : undefined;
}

/** Only the primary message: details may quote values of rows. */
function saidBy(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return saidBy(error.errors[0]);
  const said = error instanceof Error ? error.message || error.name : String(error);
  return said.slice(0, 300).replace(/\.$/, "");
}
