import type { Link } from "@opentelemetry/api";
import { isSpanId, isTraceId } from "@spanloom/model";
import type { ProblemReporter } from "../problems.ts";

/** A link to a span that somebody names, the trace also as a UUID. `undefined` where the ids are none. */
export function linkTo(
  { traceId, spanId }: { traceId: string; spanId: string },
  attributes: Link["attributes"],
  problems: ProblemReporter,
): Link | undefined {
  const hex = String(traceId).replaceAll("-", "").toLowerCase();
  if (isTraceId(hex) && isSpanId(spanId))
    return { context: { traceId: hex, spanId, traceFlags: 1 }, attributes };
  const message = "A link had no trace id of 32 hex digits, or no span id of 16; it was left out.";
  problems.report("invalid_argument", "link", message);
  return undefined;
}
