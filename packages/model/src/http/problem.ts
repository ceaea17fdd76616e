import { isSpanloomError, SpanloomError, type SpanloomErrorCode } from "../errors.ts";

/** An RFC 9457 problem document: what the server answers instead of a result. */
export interface Problem {
  type: string;
  /** What happened. */
  title: string;
  status: number;
  /** Why. */
  detail?: string;
  /** How to mend it. */
  fix?: string;
  code: SpanloomErrorCode;
}

const STATUS: Record<SpanloomErrorCode, number> = {
  invalid_argument: 400,
  invalid_record: 422,
  invalid_cursor: 400,
  invalid_time: 400,
  invalid_time_zone: 400,
  not_found: 404,
  unauthenticated: 401,
  not_permitted: 403,
  not_supported: 501,
  limit_exceeded: 413,
  missing_dependency: 500,
  schema_mismatch: 500,
  store_closed: 503,
  store_full: 507,
  store_failed: 500,
  vault_failed: 500,
  network_failed: 502,
  timed_out: 504,
};

/** The HTTP status of an error code. */
export function statusOf(code: SpanloomErrorCode): number {
  return STATUS[code];
}

/**
 * Any error as a problem document. Failures of the server say no more than their code: their text may hold paths,
 * addresses or content, which are the operator's to read.
 */
export function encodeProblem(error: unknown): Problem {
  const code = isSpanloomError(error) && error.code in STATUS ? error.code : "store_failed";
  if (isSpanloomError(error) && tells(code)) return problem(code, error.what, error.why, error.fix);
  return problem(
    code,
    "The request could not be answered.",
    "The server failed; it has reported why to its operator.",
    "Try again; if it stays, ask the operator.",
  );
}

/** True for errors whose text is about the request: it helps the caller and gives nothing of the server away. */
function tells(code: SpanloomErrorCode): boolean {
  return STATUS[code] < 500 || code === "not_supported";
}

function problem(code: SpanloomErrorCode, title: string, detail?: string, fix?: string): Problem {
  return {
    type: "about:blank",
    title,
    status: STATUS[code],
    ...(detail !== undefined && { detail }),
    ...(fix !== undefined && { fix }),
    code,
  };
}

/** The error that a failed response stands for, also where a proxy answered something that is no problem document. */
export function decodeProblem(status: number, body: unknown): SpanloomError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const code =
    typeof problem.code === "string" && Object.hasOwn(STATUS, problem.code) ? problem.code : codeFor(status);
  return new SpanloomError(code, {
    what: typeof problem.title === "string" ? problem.title : `The server answered with status ${status}.`,
    ...(typeof problem.detail === "string" && { why: problem.detail }),
    ...(typeof problem.fix === "string" && { fix: problem.fix }),
  });
}

function codeFor(status: number): SpanloomErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "not_permitted";
  if (status === 404) return "not_found";
  if (status === 413) return "limit_exceeded";
  // A server that is too busy, or a proxy that is: nothing is wrong with what was asked.
  if (status === 408 || status === 429) return "network_failed";
  if (status === 504) return "timed_out";
  return status < 500 ? "invalid_argument" : "network_failed";
}
