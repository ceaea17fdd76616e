import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { traceHeaders } from "../propagate/trace-headers.ts";
import type { SpanHandle } from "../span-handle.ts";
import { endWith, isObject, type McpRequest, spanOf } from "./mcp-message.ts";

export interface McpClientOptions {
  /** Default true: the server is told the ids of execution, workflow, thread and node. `false` for a stranger's server. */
  baggage?: boolean;
}

/** A `Client` of `@modelcontextprotocol/sdk`, by what is used of it. */
export interface TraceableClient {
  request(...args: never[]): Promise<unknown>;
  getServerVersion?(): { name: string } | undefined;
}

/**
 * Gives the client back, with its requests traced: a tool call becomes a tool span with arguments and result below the span
 * that is active (a result with `isError` fails it), so do reads of resources and prompts, and every request carries the
 * trace in its `_meta` (`traceparent`, `tracestate`, `baggage`). Where no span is active nothing changes. Results and errors
 * are the SDK's own, untouched.
 */
export function traceMcpClient<C extends TraceableClient>(
  client: C,
  tracer: WorkflowTracer,
  options: McpClientOptions = {},
): C {
  const own = client.request as (...args: unknown[]) => Promise<unknown>;
  const request = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const above = tracer.activeSpan();
    const call = above && tracer.guard("mcp", () => startCall(above, client, args[0] as McpRequest, options));
    if (call === undefined) return Reflect.apply(own, this, args);
    const send = (): Promise<unknown> => Reflect.apply(own, this, [call.request, ...args.slice(1)]);
    return call.span === undefined ? send() : settleWith(call.span, send, tracer, args[2]);
  };
  Object.defineProperty(client, "request", { value: request, configurable: true, writable: true });
  return client;
}

function startCall(
  above: SpanHandle,
  client: TraceableClient,
  request: McpRequest,
  { baggage = true }: McpClientOptions,
): { span: SpanHandle | undefined; request: McpRequest } {
  const options = spanOf(request);
  const span = options && above.startSpan(options);
  const server = span && client.getServerVersion?.()?.name;
  if (server !== undefined) span?.setAttributes({ "mcp.server.name": server });
  const { baggage: ids, ...trace } = traceHeaders(span ?? above);
  const _meta = { ...request.params?._meta, ...trace, ...(baggage && ids !== undefined && { baggage: ids }) };
  return { span, request: { ...request, params: { ...request.params, _meta } } };
}

function settleWith(
  span: SpanHandle,
  send: () => Promise<unknown>,
  tracer: WorkflowTracer,
  options: unknown,
): Promise<unknown> {
  // The SDK reports a call that the host aborted as one that took too long; the reason says that it was a decision.
  const signal = isObject(options) ? options.signal : undefined;
  const fail = (error: unknown): void =>
    span.fail(signal instanceof AbortSignal && signal.aborted ? signal.reason : error);
  try {
    const result = span.run(send);
    result.then((value) => void tracer.guard("mcp", () => endWith(span, value, true)), fail);
    return result;
  } catch (error) {
    fail(error);
    throw error;
  }
}
