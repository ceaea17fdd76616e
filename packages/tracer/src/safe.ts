import { MAX_ID_LENGTH, TOKEN_FIELDS, type TokenUsage } from "@spanloom/model";
import type { ProblemReporter } from "./problems.ts";

/** An id that stores accept. A host's mistake must not stop its workflow, so a bad one is mended and reported. */
export function safeId(id: unknown, what: string, problems: ProblemReporter): string {
  const text = typeof id === "string" ? id : typeof id === "number" ? String(id) : "";
  if (text !== "" && text.length <= MAX_ID_LENGTH && text !== "." && text !== ".." && typeof id === "string")
    return text;
  problems.report(
    "invalid_argument",
    what,
    `The id of the ${what} is not usable as it is; a mended one was used. Ids are 1 to ${MAX_ID_LENGTH} characters, not "." or "..".`,
  );
  return text === "" || text === "." || text === ".." ? `unnamed-${what}` : text.slice(0, MAX_ID_LENGTH);
}

/** Counts that stores accept: whole, at least 0. Others are left out, since a wrong sum is worse than an unknown one. */
export function safeUsage(usage: TokenUsage, problems: ProblemReporter): TokenUsage {
  const out: TokenUsage = {};
  if (usage.subtotal === true) out.subtotal = true;
  for (const field of TOKEN_FIELDS) {
    const count = usage[field];
    if (count === undefined || count === null) continue;
    if (Number.isSafeInteger(count) && count >= 0) out[field] = count;
    else
      problems.report(
        "invalid_argument",
        "setUsage",
        `The token count "${field}" was not a whole number >= 0; it was left out.`,
      );
  }
  return out;
}
