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
  network_failed: 502,
  timed_out: 504,
};

/** The HTTP status of an error code. */
export function statusOf(code: SpanloomErrorCode): number {
  return STATUS[code];
}

/** Any error as a problem document. Errors that are not ours say nothing of themselves: their text may hold content. */
export function encodeProblem(error: unknown): Problem {
  const known = isSpanloomError(error)
    ? error
    : new SpanloomError("store_failed", {
        what: "The request could not be answered.",
        why: "An unexpected error was raised; the server has reported it to its operator.",
        fix: "Try again; if it stays, ask the operator.",
      });
  return {
    type: "about:blank",
    title: known.what,
    status: STATUS[known.code],
    ...(known.why !== undefined && { detail: known.why }),
    ...(known.fix !== undefined && { fix: known.fix }),
    code: known.code,
  };
}

/** The error that a failed response stands for, also where a proxy answered something that is no problem document. */
export function decodeProblem(status: number, body: unknown): SpanloomError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const code = problem.code !== undefined && problem.code in STATUS ? problem.code : codeFor(status);
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
  return status < 500 ? "invalid_argument" : "network_failed";
}
