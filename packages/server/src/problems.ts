import { SpanloomError } from "@spanloom/model";
import { encodeProblem, PROBLEM_JSON, type Problem } from "@spanloom/model/http";
import type { Denial } from "./authorize.ts";

/** One text for all that a caller cannot find, so that none of them tells whether another scope has it. */
export function notFound(): SpanloomError {
  return new SpanloomError("not_found", {
    what: "There is nothing here that you can see.",
    why: "The id is unknown, was deleted, or belongs to somebody else.",
    fix: "Check the id.",
  });
}

function problemResponse(problem: Problem, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": PROBLEM_JSON, "cache-control": "no-store", ...SECURITY_HEADERS, ...headers },
  });
}

export function errorResponse(error: unknown): Response {
  if (error instanceof HttpProblem) return problemResponse(error.problem, error.headers);
  const problem = encodeProblem(error);
  return problemResponse(problem, problem.status === 503 ? { "retry-after": "5" } : {});
}

export function denialResponse({ status, challenge }: Denial): Response {
  if (status === 404) return errorResponse(notFound());
  if (status === 401) {
    const error = new SpanloomError("unauthenticated", {
      what: "You are not signed in.",
      fix: "Sign in, then try again.",
    });
    return problemResponse(encodeProblem(error), { "www-authenticate": challenge ?? "Bearer" });
  }
  return errorResponse(new SpanloomError("not_permitted", { what: "You may not see this." }));
}

/** A refusal whose HTTP status says more than any error code does. */
export class HttpProblem extends Error {
  readonly problem: Problem;
  readonly headers: Record<string, string>;

  constructor(problem: Omit<Problem, "type">, headers: Record<string, string> = {}) {
    super(problem.title);
    this.problem = { type: "about:blank", ...problem };
    this.headers = headers;
  }
}

/** Answers are data: no browser shall read them as a page, a script or a style. */
export const SECURITY_HEADERS: Record<string, string> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
};
