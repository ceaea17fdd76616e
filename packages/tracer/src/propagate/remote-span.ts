import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  createTraceState,
  type SpanContext,
} from "@opentelemetry/api";
import { isSpanId, isTraceId, MAX_ID_LENGTH, SPANLOOM } from "@spanloom/model";
import type { ExecutionFacts, NodeFacts } from "../facts.ts";

/**
 * Where another process may have said which span its request or command belongs to: the headers of a request (`Headers`
 * or `node:http`'s), `process.env`, or the `_meta` of an MCP request. Nothing it holds is taken on trust.
 */
export type TraceSource = { get(name: string): string | null } | Readonly<Record<string, unknown>>;

/** A span of another process, and what it said about itself. */
export interface RemoteSpan {
  context: SpanContext;
  execution: Pick<ExecutionFacts, "executionId" | "workflowId" | "workflowName" | "threadId">;
  node: NodeFacts | undefined;
  /** What others put into the baggage; it is handed on. */
  baggage: Record<string, BaggageEntry>;
}

/** `undefined` where there is no trace to join, or none that can be read. Never throws. */
export function readRemoteSpan(source: TraceSource): RemoteSpan | undefined {
  const context = readTraceparent(read(source, "traceparent"));
  if (context === undefined) return undefined;
  const state = read(source, "tracestate");
  if (state !== undefined && state !== "") context.traceState = createTraceState(state);
  const own = new Map<string, string>();
  const baggage: RemoteSpan["baggage"] = {};
  for (const [key, entry] of readBaggage(read(source, "baggage"))) {
    if (key.startsWith(SPANLOOM.prefix)) own.set(key, entry.value);
    else baggage[key] = entry;
  }
  return { context, execution: readExecution(own), node: readNode(own), baggage };
}

/** W3C Trace Context. Fields that a later version adds behind ours are ignored, as the standard asks. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

function readTraceparent(text: string | undefined): SpanContext | undefined {
  const match = text === undefined ? null : TRACEPARENT.exec(text.trim());
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags = "", more] = match;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (!isTraceId(traceId) || !isSpanId(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

/** The limits of W3C Baggage: what stands behind them is left out. */
const MAX_BAGGAGE_LENGTH = 8_192;
const MAX_MEMBERS = 180;

function* readBaggage(text: string | undefined): Generator<[string, BaggageEntry]> {
  if (text === undefined) return;
  const within =
    text.length <= MAX_BAGGAGE_LENGTH ? text : text.slice(0, text.lastIndexOf(",", MAX_BAGGAGE_LENGTH));
  for (const member of within.split(",", MAX_MEMBERS)) {
    const [pair = "", ...properties] = member.split(";");
    const equals = pair.indexOf("=");
    const key = pair.slice(0, equals).trim();
    const value = decoded(pair.slice(equals + 1).trim());
    if (equals < 1 || key === "" || key === "__proto__" || value === undefined) continue;
    const entry: BaggageEntry = { value };
    if (properties.length > 0) entry.metadata = baggageEntryMetadataFromString(properties.join(";").trim());
    yield [key, entry];
  }
}

function readExecution(own: ReadonlyMap<string, string>): RemoteSpan["execution"] {
  const execution: RemoteSpan["execution"] = {};
  const executionId = usableId(own.get(SPANLOOM.executionId));
  const workflowId = usableId(own.get(SPANLOOM.workflowId));
  const workflowName = own.get(SPANLOOM.workflowName);
  const threadId = usableId(own.get(SPANLOOM.threadId));
  if (executionId !== undefined) execution.executionId = executionId;
  if (workflowId !== undefined) execution.workflowId = workflowId;
  if (workflowName !== undefined) execution.workflowName = workflowName;
  if (threadId !== undefined) execution.threadId = threadId;
  return execution;
}

function readNode(own: ReadonlyMap<string, string>): NodeFacts | undefined {
  const nodeId = usableId(own.get(SPANLOOM.nodeId));
  if (nodeId === undefined) return undefined;
  const attempt = Number(own.get(SPANLOOM.attempt) ?? 1);
  const node: NodeFacts = { nodeId, attempt: Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1 };
  const nodeType = own.get(SPANLOOM.nodeType);
  if (nodeType !== undefined) node.nodeType = nodeType;
  return node;
}

function usableId(id: string | undefined): string | undefined {
  return id !== undefined && id !== "" && id.length <= MAX_ID_LENGTH && id !== "." && id !== ".."
    ? id
    : undefined;
}

/** One field by its name, in small letters or, as environment variables have it, in capitals. */
function read(source: TraceSource, name: string): string | undefined {
  if (typeof source.get === "function") return asText(source.get(name));
  const fields = source as Readonly<Record<string, unknown>>;
  return asText(fields[name]) ?? asText(fields[name.toUpperCase()]);
}

/** A header that came several times is one list, but for `traceparent`: a list of these is not valid, and is not read. */
function asText(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" ? value : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
