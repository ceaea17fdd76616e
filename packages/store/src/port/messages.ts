import { isSpanloomError, SpanloomError, type SpanloomErrorCode } from "@spanloom/model";

/**
 * What goes over the port. `session` tells the clients of one port apart, `id` the calls of a session.
 *
 * The reader says of each answer, and of each part of a stream, that it has taken it: until then it counts as under way,
 * so that answers cannot pile up before a slow reader.
 */
export type Asked =
  | { kind: "call"; session: string; id: number; method: PortMethod; args: unknown[] }
  | { kind: "taken"; session: string; id: number }
  | { kind: "stop"; session: string; id: number }
  | { kind: "bye"; session: string };

export type Answered =
  | { kind: "answer"; session: string; id: number; value: unknown }
  | { kind: "failure"; session: string; id: number; error: PortError }
  | { kind: "part"; session: string; id: number; value: unknown }
  | { kind: "end"; session: string; id: number }
  /** Nobody serves any more, for all sessions. */
  | { kind: "bye" };

export const READS = [
  "listExecutions",
  "getExecutions",
  "getExecution",
  "getTrace",
  "getSpan",
  "changesSince",
  "searchSpans",
  "getRunMetrics",
  "getDailyCosts",
  "getAnalytics",
] as const;
export const WRITES = ["write"] as const;
/** `redactSpans` puts redacted states in place of stored ones: a rule is code, and cannot cross. */
export const ADMINISTRATION = ["deleteExecution", "prune", "recompute", "redactSpans"] as const;
/** Answered in parts. */
export const STREAMS = ["watch", "follow"] as const;

export type PortMethod =
  | (typeof READS)[number]
  | (typeof WRITES)[number]
  | (typeof ADMINISTRATION)[number]
  | (typeof STREAMS)[number];

/** An error as it crosses: a structured clone would drop what our family has beside the message. */
export interface PortError {
  code: SpanloomErrorCode;
  what: string;
  why?: string;
  fix?: string;
}

export function encodeError(error: unknown): PortError {
  if (isSpanloomError(error)) {
    const { code, what, why, fix } = error;
    return { code, what, ...(why !== undefined && { why }), ...(fix !== undefined && { fix }) };
  }
  return {
    code: "store_failed",
    what: "The store behind the port failed.",
    ...(error instanceof Error && { why: error.message }),
    fix: "Look at the side that serves the port.",
  };
}

export function decodeError({ code, ...parts }: PortError): SpanloomError {
  return new SpanloomError(code, parts);
}
