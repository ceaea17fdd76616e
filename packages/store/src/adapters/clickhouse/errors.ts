import { isSpanloomError, SpanloomError } from "@spanloom/model";

/** ClickHouse's numbers for what an operator can mend. Source: ClickHouse `src/Common/ErrorCodes.cpp`. */
const CODES: Record<
  string,
  { code: "store_full" | "store_failed" | "timed_out" | "schema_mismatch"; what: string; fix: string }
> = {
  "243": full(),
  "159": slow(),
  "209": slow(),
  "241": {
    code: "store_failed",
    what: "ClickHouse ran out of memory for this call.",
    fix: "Ask for less at once, or raise max_memory_usage of its user.",
  },
  "497": {
    code: "store_failed",
    what: "ClickHouse refused the call.",
    fix: "Grant the user SELECT, INSERT and ALTER DELETE on the database, and CREATE where migrations run.",
  },
  "516": {
    code: "store_failed",
    what: "ClickHouse refused the user or the password.",
    fix: "Correct the credentials of the client.",
  },
  "60": missing(),
  "81": missing(),
};

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "EPIPE",
]);

/** What went wrong, in our own words: messages of the server quote the values of a query. */
export function toStoreError(error: unknown): SpanloomError {
  if (isSpanloomError(error)) return error;
  const code = codeOf(error);
  const known = code === undefined ? undefined : CODES[code];
  if (known !== undefined) {
    const { code: own, what, fix } = known;
    return new SpanloomError(own, { what, why: `ClickHouse reported error ${code}.`, fix, cause: error });
  }
  if (code !== undefined && UNREACHABLE.has(code)) {
    return new SpanloomError("store_failed", {
      what: "ClickHouse cannot be reached.",
      why: `The connection failed with ${code}.`,
      fix: "Start the server, or correct the URL; the write can then be tried again.",
      cause: error,
    });
  }
  if (error instanceof Error && /timeout/i.test(error.message)) {
    const { code: own, what, fix } = slow();
    return new SpanloomError(own, { what, why: "The client gave up waiting.", fix, cause: error });
  }
  return new SpanloomError("store_failed", {
    what: "ClickHouse could not do what was asked.",
    why: code === undefined ? "It gave no reason." : `It reported error ${code}.`,
    fix: "Look at the cause, and at the server's log.",
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return String(error.code);
}

function full() {
  return {
    code: "store_full",
    what: "ClickHouse's disk is full.",
    fix: "Make room or shorten the retention. What is stored stays readable.",
  } as const;
}

function slow() {
  return {
    code: "timed_out",
    what: "ClickHouse took too long.",
    fix: "Try again; if it stays, look at the server's load and at max_execution_time.",
  } as const;
}

function missing() {
  return {
    code: "schema_mismatch",
    what: "A table of Spanloom is not in the ClickHouse database.",
    fix: 'Run the statements of `clickhouseSchema(database)`, or open the store with migrations: "run".',
  } as const;
}
