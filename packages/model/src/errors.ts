/** Every error that Spanloom raises on purpose. `code` is stable: hosts may switch on it. */
export type SpanloomErrorCode =
  | "invalid_argument"
  | "invalid_record"
  | "invalid_cursor"
  | "invalid_time"
  | "invalid_time_zone"
  | "not_found"
  | "unauthenticated"
  | "not_permitted"
  | "not_supported"
  | "limit_exceeded"
  | "missing_dependency"
  | "schema_mismatch"
  | "store_closed"
  | "store_full"
  | "store_failed"
  | "vault_failed"
  | "network_failed"
  | "timed_out";

export interface SpanloomErrorParts {
  /** What happened, as one sentence. Never holds content or secrets. */
  what: string;
  /** Why it happened, as far as is known. */
  why?: string;
  /** What the reader can do about it. */
  fix?: string;
  cause?: unknown;
}

/** One error family for all packages: a stable code, what happened, why, and how to mend it. */
export class SpanloomError extends Error {
  override readonly name = "SpanloomError";
  readonly code: SpanloomErrorCode;
  readonly what: string;
  readonly why: string | undefined;
  readonly fix: string | undefined;

  constructor(code: SpanloomErrorCode, parts: SpanloomErrorParts) {
    const message = [parts.what, parts.why, parts.fix].filter((part) => part !== undefined).join(" ");
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.what = parts.what;
    this.why = parts.why;
    this.fix = parts.fix;
  }
}

/** Recognises the family also across copies of this package, where `instanceof` fails. */
export function isSpanloomError(error: unknown): error is SpanloomError {
  return error instanceof Error && error.name === "SpanloomError" && "code" in error && "what" in error;
}
