import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { PostgresClient, PostgresPool, SqlValue } from "./client.ts";
import { isConflict, isConnectionLost, toStoreError } from "./errors.ts";

/** One transaction under way. */
export interface Session {
  /** Runs a statement; its plan is kept by the server under a name made from its text, so there must be few of them. */
  rows(text: string, ...values: SqlValue[]): Promise<unknown[][]>;
  /** Runs a statement that may look different each time. */
  ask(text: string, ...values: SqlValue[]): Promise<unknown[][]>;
  /** Runs statements without values, several at once. */
  exec(sql: string): Promise<void>;
}

export interface Database {
  /** What is read inside is of one moment. */
  read<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Commits what is done inside, or nothing of it. With a lock, one at a time everywhere. May run `work` again after a conflict. */
  write<T>(lock: string | undefined, work: (session: Session) => Promise<T>): Promise<T>;
  /** A connection that the caller gives back. */
  connect(): Promise<PostgresClient>;
}

export interface DatabaseOptions {
  pool: PostgresPool;
  /** How long one statement may take, waiting for locks included. */
  statementTimeoutMs: number;
  /** Whether plans are kept by name; a pooler that shares connections between transactions may forbid it. */
  prepare: boolean;
}

const MOST_TRIES = 5;

/** Transactions over a pool. Whatever fails rejects with an error of the family. */
export function createDatabase({ pool, statementTimeoutMs, prepare }: DatabaseOptions): Database {
  const timeout = `SET LOCAL statement_timeout = ${statementTimeoutMs}`;
  const beginRead = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${timeout}`;
  const beginWrite = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${timeout}`;
  const once = async <T>(begin: string, work: (session: Session) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let lost: Error | undefined;
    const onError = (error: Error): void => {
      lost = error;
    };
    // Without a listener a connection that breaks between two statements would end the process.
    client.on?.("error", onError);
    try {
      const session = sessionOf(client, prepare);
      await session.exec(begin);
      const result = await work(session);
      await session.exec("COMMIT");
      return result;
    } catch (error) {
      lost ??= await rollBack(client, error);
      throw error;
    } finally {
      client.removeListener?.("error", onError);
      client.release(lost);
    }
  };
  const retried = async <T>(begin: string, work: (session: Session) => Promise<T>): Promise<T> => {
    let lostBefore = false;
    for (let tries = 1; ; tries++) {
      try {
        return await once(begin, work);
      } catch (error) {
        // A kept connection may have died long ago: a new one tells whether the server is there. Writing twice changes nothing.
        const stale: boolean = isConnectionLost(error) && !lostBefore;
        if (!(stale || isConflict(error)) || tries === MOST_TRIES) throw toStoreError(error);
        lostBefore ||= stale;
        await pause(stale ? 0 : 2 ** tries * 5 * (1 + Math.random()));
      }
    }
  };
  return {
    read: (work) => retried(beginRead, work),
    write: (lock, work) =>
      retried(lock === undefined ? beginWrite : `${beginWrite}; SELECT pg_advisory_xact_lock(${lock})`, work),
    connect: async () => {
      try {
        return await pool.connect();
      } catch (error) {
        throw toStoreError(error);
      }
    },
  };
}

function sessionOf(client: PostgresClient, prepare: boolean): Session {
  return {
    rows: async (text, ...values) => {
      const name = prepare ? nameOf(text) : undefined;
      const { rows } = await client.query({
        text,
        values,
        rowMode: "array",
        ...(name !== undefined && { name }),
      });
      return rows;
    },
    ask: async (text, ...values) => (await client.query({ text, values, rowMode: "array" })).rows,
    exec: async (text) => {
      await client.query({ text, rowMode: "array" });
    },
  };
}

/** Gives the error with which the connection must be closed, where it cannot be used any more. */
async function rollBack(client: PostgresClient, error: unknown): Promise<Error | undefined> {
  try {
    if (!isConnectionLost(error)) await client.query({ text: "ROLLBACK", rowMode: "array" });
    else return error instanceof Error ? error : new Error(String(error));
  } catch (second) {
    return second instanceof Error ? second : new Error(String(second));
  }
  return undefined;
}

const names = new Map<string, string>();

/** The same text has the same name everywhere: a connection may be shared with another copy of this module. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `spanloom_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}
