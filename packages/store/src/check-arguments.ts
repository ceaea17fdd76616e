import { isUnixNanos, MAX_ID_LENGTH, type PruneRequest, SpanloomError } from "@spanloom/model";

/** Checks of what callers pass, the same for every adapter, so that a mistake gets the same answer everywhere. */

/** How many executions one `getExecutions` may name. */
const MAX_EXECUTION_IDS = 500;
/** Filters are ids or names: what is longer matches nothing and is no honest request. */
const MAX_FILTER_LENGTH = 500;
/** Databases and URLs cannot hold it: it would come back as another text. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A scope: 1 to 200 characters of well-formed text. Throws `invalid_argument`. */
export function checkScope(scope: unknown): string {
  if (
    typeof scope === "string" &&
    scope.length > 0 &&
    scope.length <= MAX_ID_LENGTH &&
    !LONE_SURROGATE.test(scope)
  ) {
    return scope;
  }
  throw new SpanloomError("invalid_argument", {
    what: "The scope cannot be used.",
    why: `A scope is 1 to ${MAX_ID_LENGTH} characters of well-formed text; nothing is read or written without one.`,
    fix: "Pass your tenant's id, or one fixed name if you have no tenants.",
  });
}

/** A whole number from `least` to `most`; `fallback` where absent. Throws `invalid_argument`. */
export function checkWhole(
  value: unknown,
  name: string,
  {
    least = 0,
    most = Number.MAX_SAFE_INTEGER,
    fallback,
  }: { least?: number; most?: number; fallback: number },
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SpanloomError("invalid_argument", {
    what: `${name} is ${String(value).slice(0, 40)}.`,
    why: `It must be a whole number from ${least} to ${most}.`,
    fix: "Correct it or leave it out.",
  });
}

/** One of `allowed`; `fallback` where absent. Throws `invalid_argument`. */
export function checkOneOf<T extends string, F extends T | undefined>(
  value: unknown,
  name: string,
  allowed: readonly T[],
  fallback: F,
): T | F {
  if (value === undefined) return fallback;
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new SpanloomError("invalid_argument", {
    what: `${name} is "${String(value).slice(0, 40)}".`,
    why: `It must be one of ${allowed.join(", ")}.`,
    fix: "Correct it or leave it out.",
  });
}

/** A text to filter by, at most 500 characters; absent stays absent. Throws `invalid_argument`. */
export function checkFilter(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= MAX_FILTER_LENGTH) return value;
  throw new SpanloomError("invalid_argument", {
    what: `The filter ${name} cannot be used.`,
    why: `It must be text of at most ${MAX_FILTER_LENGTH} characters.`,
    fix: "Correct it or leave it out.",
  });
}

/** What `write` takes. Its members are checked one by one, with `recordProblem`. Throws `invalid_argument`. */
export function checkRecords(spans: unknown): readonly unknown[] {
  if (Array.isArray(spans)) return spans;
  throw new SpanloomError("invalid_argument", {
    what: "write was not given an array.",
    fix: "Pass an array of span records, also for a single one.",
  });
}

/** What `getExecutions` takes. Throws `invalid_argument` or `limit_exceeded`. */
export function checkExecutionIds(ids: unknown): readonly string[] {
  if (!Array.isArray(ids)) {
    throw new SpanloomError("invalid_argument", {
      what: "getExecutions was not given an array.",
      fix: "Pass an array of execution ids.",
    });
  }
  if (ids.length <= MAX_EXECUTION_IDS) return ids;
  throw new SpanloomError("limit_exceeded", {
    what: `${ids.length} executions were asked for at once.`,
    why: `At most ${MAX_EXECUTION_IDS} may be.`,
    fix: "Ask in several calls.",
  });
}

/** What `prune` takes, with its default. Throws `invalid_argument`. */
export function checkPrune({ before, sumsBefore, limit }: PruneRequest): PruneRequest & { limit: number } {
  for (const [name, value] of Object.entries({ before, sumsBefore: sumsBefore ?? before })) {
    if (isUnixNanos(value)) continue;
    throw new SpanloomError("invalid_argument", {
      what: `The argument ${name} of prune cannot be used.`,
      why: "It must be Unix nanoseconds as a decimal string.",
      fix: "Make it with nanosFromMillis.",
    });
  }
  return {
    before,
    ...(sumsBefore !== undefined && { sumsBefore }),
    limit: checkWhole(limit, "limit", { least: 1, most: 10_000, fallback: 200 }),
  };
}

export function storeClosed(name: string): SpanloomError {
  return new SpanloomError("store_closed", {
    what: `The ${name} store is closed.`,
    why: "close() was called before this call.",
    fix: "Close a store only after its last use, or open a new one.",
  });
}
