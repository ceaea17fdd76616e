import {
  type Artifact,
  type CacheAccess,
  MAX_ID_LENGTH,
  SPAN_KINDS,
  type SpanKind,
  TOKEN_FIELDS,
  type TokenUsage,
} from "@spanloom/model";
import type { ProblemReporter } from "./problems.ts";

/** An id that stores accept. A host's mistake must not stop its workflow, so a bad one is mended and reported. */
export function safeId(id: unknown, what: string, problems: ProblemReporter): string {
  const text = typeof id === "string" ? id : typeof id === "number" ? String(id) : "";
  const named = text !== "" && text !== "." && text !== "..";
  // A lone surrogate stands in no URL, and databases keep it as another text.
  if (named && typeof id === "string" && text.length <= MAX_ID_LENGTH && text.isWellFormed()) return text;
  problems.report(
    "invalid_argument",
    what,
    `The id of the ${what} is not usable as it is; a mended one was used. Ids are 1 to ${MAX_ID_LENGTH} characters, not "." or "..".`,
  );
  return named ? text.slice(0, MAX_ID_LENGTH).toWellFormed() : `unnamed-${what}`;
}

/** A name: text, or what says the same as text. */
export function safeName(name: unknown, fallback: string): string {
  if (typeof name === "string") return name;
  return name === undefined || name === null || typeof name === "object" || typeof name === "function"
    ? fallback
    : String(name);
}

export function safeKind(kind: unknown): SpanKind {
  return SPAN_KINDS.find((known) => known === kind) ?? "internal";
}

/** An artifact that stores accept: what is no usable text or size is left out. */
export function safeArtifact(artifact: Artifact, problems: ProblemReporter): Artifact {
  const { mediaType, sizeBytes, hash } = artifact;
  const artifactId = safeId(artifact.artifactId, "artifact", problems);
  const out: Artifact = { artifactId, name: safeName(artifact.name, artifactId) };
  if (typeof mediaType === "string") out.mediaType = mediaType;
  if (isCount(sizeBytes)) out.sizeBytes = sizeBytes;
  if (typeof hash === "string") out.hash = hash;
  return out;
}

/** `undefined` where the counts are none: a wrong ratio is worse than an unknown one. */
export function safeCacheAccess(access: CacheAccess, problems: ProblemReporter): CacheAccess | undefined {
  const { keyspace, hits, misses } = access;
  if (typeof keyspace === "string" && isCount(hits) && isCount(misses)) return { keyspace, hits, misses };
  problems.report(
    "invalid_argument",
    "cache",
    "A cache access had no keyspace, or hits or misses that are no whole numbers >= 0; it was left out.",
  );
  return undefined;
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Counts that stores accept: whole, at least 0. Others are left out, since a wrong sum is worse than an unknown one. */
export function safeUsage(usage: TokenUsage, problems: ProblemReporter): TokenUsage {
  const out: TokenUsage = {};
  if (usage.subtotal === true) out.subtotal = true;
  for (const field of TOKEN_FIELDS) {
    const count = usage[field];
    if (count === undefined || count === null) continue;
    if (isCount(count)) out[field] = count;
    else
      problems.report(
        "invalid_argument",
        "setUsage",
        `The token count "${field}" was not a whole number >= 0; it was left out.`,
      );
  }
  return out;
}
