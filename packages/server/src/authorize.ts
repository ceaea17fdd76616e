import { SpanloomError } from "@spanloom/model";
import type { Action } from "@spanloom/model/http";

/** What a request asks for. */
export interface AuthorizeAction {
  action: Action;
  /** The execution (or run) in the path; it need not exist. Absent for lists, configuration, analytics and writes. */
  executionId?: string;
}

/** What a caller may see. */
export interface Grant {
  /** The tenant: nothing outside it can be read or written. 1 to 200 characters. */
  scope: string;
  /** The host's own role names; panels and `config` go by them. */
  roles: readonly string[];
  /** Whether prompts, responses, tool arguments, state and the like may be seen. */
  content: boolean;
  /** Whether contents may be seen as they were before redaction, from the vault. Default false, also with `content`. */
  rawContent?: boolean;
  /** Who it is, for the audit hook alone. */
  subject?: string;
}

/** A refusal. 404 is the answer that an unknown execution gets: nobody learns that it is there. */
export interface Denial {
  status: 401 | 403 | 404;
  /** `WWW-Authenticate` of a 401; `Bearer` where absent. */
  challenge?: string;
}

/**
 * Decides about every request. It must look at the request alone (session, token), as a live stream asks again with the
 * same request. A Response with status 401, 403 or 404 refuses, too; nothing of it but its status and challenge is sent.
 * Where it throws, the caller gets a 500 that says nothing.
 */
export type Authorize = (
  request: Request,
  action: AuthorizeAction,
) => Grant | Denial | Response | Promise<Grant | Denial | Response>;

/** Lets everybody see everything in one scope, but for raw content: for a machine that only its owner reaches. */
export function allowAll(grant: Partial<Grant> = {}): Authorize {
  const all: Grant = { scope: "default", roles: [], content: true, ...grant };
  return () => all;
}

/** Asks the host and checks its answer: what cannot be understood must never let anybody in. */
export async function decide(
  authorize: Authorize,
  request: Request,
  action: AuthorizeAction,
): Promise<{ grant: Grant } | { denial: Denial }> {
  const answer: unknown = await authorize(request, action);
  if (typeof answer === "object" && answer !== null) {
    if ("status" in answer && isDenied(answer.status)) {
      const challenge = challengeOf(answer);
      return { denial: { status: answer.status, ...(challenge !== undefined && { challenge }) } };
    }
    if (!("status" in answer) && isGrant(answer)) return { grant: answer };
  }
  throw new SpanloomError("invalid_argument", {
    what: "`authorize` gave no answer that can be used.",
    why: "It must give { scope, roles, content }, or a refusal with status 401, 403 or 404.",
    fix: "Correct the function that was given to createHandler.",
  });
}

function isGrant(answer: object): answer is Grant {
  const { scope, roles, content, rawContent } = answer as Partial<Record<keyof Grant, unknown>>;
  return (
    typeof scope === "string" &&
    scope.length > 0 &&
    Array.isArray(roles) &&
    roles.every((role) => typeof role === "string") &&
    typeof content === "boolean" &&
    (rawContent === undefined || typeof rawContent === "boolean")
  );
}

function isDenied(status: unknown): status is Denial["status"] {
  return status === 401 || status === 403 || status === 404;
}

function challengeOf(answer: object): string | undefined {
  if (answer instanceof Response) return answer.headers.get("www-authenticate") ?? undefined;
  return "challenge" in answer && typeof answer.challenge === "string" ? answer.challenge : undefined;
}
