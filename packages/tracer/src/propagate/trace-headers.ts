import { type BaggageEntry, isSpanContextValid, propagation, TraceFlags } from "@opentelemetry/api";
import { SPANLOOM } from "@spanloom/model";
import type { RecordedSpan } from "../recorded-span.ts";

/** W3C Trace Context and W3C Baggage. Empty where nothing is recorded, so that spreading it does no harm. */
export interface TraceHeaders {
  traceparent?: string;
  tracestate?: string;
  /** The ids of execution, workflow, thread and node, behind them what the host's own baggage holds. */
  baggage?: string;
}

/**
 * The headers that make a request belong to the span. The callee reads them with `joinTrace(tracer, request.headers, ...)`; any
 * OpenTelemetry instrumentation understands `traceparent`. The baggage tells the callee ids of the execution: for a
 * stranger's server send `traceparent` alone.
 */
export function traceHeaders(span: RecordedSpan | undefined): TraceHeaders {
  const context = span?.recording.span.spanContext();
  if (span === undefined || context === undefined || !isSpanContextValid(context)) return {};
  const { traceId, spanId, traceFlags, traceState } = context;
  if ((traceFlags & TraceFlags.SAMPLED) === 0) return {};
  const flags = (traceFlags & 0xff).toString(16).padStart(2, "0");
  const headers: TraceHeaders = { traceparent: `00-${traceId}-${spanId}-${flags}` };
  const state = traceState?.serialize();
  if (state) headers.tracestate = state;
  const baggage = baggageOf(span);
  if (baggage !== "") headers.baggage = baggage;
  return headers;
}

const MAX_BAGGAGE_LENGTH = 8_192;
/** What W3C Baggage allows in a key. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What would make the baggage too long for the standard is left out, others' members before ours. */
function baggageOf({ recording }: RecordedSpan): string {
  const { execution, node } = recording.facts;
  const own: [string, BaggageEntry | undefined][] = [
    [SPANLOOM.executionId, entry(execution.executionId)],
    [SPANLOOM.nodeId, entry(node?.nodeId)],
    [SPANLOOM.attempt, entry(node?.attempt)],
    [SPANLOOM.workflowId, entry(execution.workflowId)],
    [SPANLOOM.threadId, entry(execution.threadId)],
    [SPANLOOM.nodeType, entry(node?.nodeType)],
    [SPANLOOM.workflowName, entry(execution.workflowName)],
  ];
  const others = propagation.getBaggage(recording.context)?.getAllEntries() ?? [];
  let text = "";
  for (const [key, member] of [...own, ...others]) {
    if (member === undefined || !TOKEN.test(key)) continue;
    const properties = member.metadata?.toString();
    const next = `${text === "" ? "" : ","}${key}=${encoded(member.value)}${properties ? `;${properties}` : ""}`;
    if (text.length + next.length <= MAX_BAGGAGE_LENGTH) text += next;
  }
  return text;
}

function entry(value: string | number | undefined): BaggageEntry | undefined {
  return value === undefined ? undefined : { value: String(value) };
}

/** Half a character cannot be encoded, and would throw. */
function encoded(value: string): string {
  return encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\ufffd"));
}
