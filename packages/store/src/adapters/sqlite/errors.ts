import { isSpanloomError, SpanloomError, type SpanloomErrorCode } from "@spanloom/model";

/** Turns what a driver throws into an error of the family. What the database said stays as the cause. */
export function toStoreError(error: unknown, path: string): SpanloomError {
  if (isSpanloomError(error)) return error;
  const result = resultCode(error);
  const known = KNOWN.find(({ codes }) => codes.includes(result));
  const said = error instanceof Error ? error.message : String(error);
  if (known === undefined) {
    return new SpanloomError("store_failed", {
      what: `The SQLite store failed: ${said}`,
      fix: `Look at the cause, and at the file ${path}. Nothing of this call was stored.`,
      cause: error,
    });
  }
  const { code, what, why, fix } = known;
  return new SpanloomError(code, {
    what,
    why: why ?? `SQLite says: ${said}.`,
    fix: `${fix} File: ${path}.`,
    cause: error,
  });
}

/** An error as it crosses the thread: structured clone would drop the members of the family. */
export interface WireError {
  code: SpanloomErrorCode;
  what: string;
  why?: string;
  fix?: string;
  cause?: string;
}

export function encodeError(error: SpanloomError): WireError {
  const { code, what, why, fix, cause } = error;
  return {
    code,
    what,
    ...(why !== undefined && { why }),
    ...(fix !== undefined && { fix }),
    ...(cause !== undefined && { cause: cause instanceof Error ? cause.message : String(cause) }),
  };
}

export function decodeError({ code, cause, ...parts }: WireError): SpanloomError {
  return new SpanloomError(code, { ...parts, ...(cause !== undefined && { cause: new Error(cause) }) });
}

interface KnownFailure {
  /** Primary result codes. Source: https://www.sqlite.org/rescode.html */
  codes: (string | undefined)[];
  code: SpanloomErrorCode;
  what: string;
  why?: string;
  fix: string;
}

const KNOWN: readonly KnownFailure[] = [
  {
    codes: ["FULL"],
    code: "store_full",
    what: "The disk is full: nothing of this write was stored.",
    fix: "Make room, then write again; what was stored before can still be read.",
  },
  {
    codes: ["BUSY", "LOCKED"],
    code: "store_failed",
    what: "The database is locked by another process, and stayed so for the whole waiting time.",
    fix: "Write again later, and look for a process that holds a long transaction.",
  },
  {
    codes: ["READONLY", "PERM", "AUTH"],
    code: "store_failed",
    what: "The database cannot be written.",
    fix: "Give this process the right to write the file and its folder.",
  },
  {
    codes: ["CANTOPEN"],
    code: "store_failed",
    what: "The database cannot be opened.",
    why: "Its folder is not there, or this process may not use it.",
    fix: "Create the folder, or give another path.",
  },
  {
    codes: ["NOTADB"],
    code: "store_failed",
    what: "The file is no SQLite database.",
    fix: "Give the store a path of its own. The file was not changed.",
  },
  {
    codes: ["CORRUPT"],
    code: "store_failed",
    what: "The database is damaged.",
    fix: "Stop writing, copy the file, and bring back a backup or run sqlite3's .recover on the copy.",
  },
  {
    codes: ["IOERR"],
    code: "store_failed",
    what: "The disk failed to read or write: nothing of this call was stored.",
    fix: "Check the disk, then try again.",
  },
];

const NAMES: Record<number, string> = {
  3: "PERM",
  5: "BUSY",
  6: "LOCKED",
  8: "READONLY",
  10: "IOERR",
  11: "CORRUPT",
  13: "FULL",
  14: "CANTOPEN",
  23: "AUTH",
  26: "NOTADB",
};

/** node:sqlite gives numbers (`errcode`), better-sqlite3 names (`SQLITE_IOERR_WRITE`); both may be extended codes. */
function resultCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") return NAMES[error.errcode & 255];
  if ("code" in error && typeof error.code === "string") return /^SQLITE_([A-Z]+)/.exec(error.code)?.[1];
  return /directory does not exist/.test(error.message) ? "CANTOPEN" : undefined;
}
