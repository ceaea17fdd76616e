import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import type { ExecutionHandle } from "../execution.ts";
import { startJoined } from "../propagate/join.ts";
import { readRemoteSpan } from "../propagate/remote-span.ts";
import type { SpanHandle } from "../span-handle.ts";
import { endWith, isObject, type McpRequest, spanOf } from "./mcp-message.ts";

export interface McpServerOptions {
  /** Calls that carry no trace are executions of this workflow. Without it they are not recorded. */
  workflowId?: string;
}

/** An `McpServer` or `Server` of `@modelcontextprotocol/sdk`, by what is used of it. */
export interface TraceableServer {
  connect(transport: never): Promise<void>;
}

/**
 * Gives the server back, with its handlers of tool calls, resources and prompts traced: each runs below the span that the
 * request names in its `_meta`, in the same execution, and finds its own with `tracer.activeSpan()`. Call it before
 * `connect`. Where the caller is traced by us, too, arguments and result stand on its span and are not repeated.
 */
export function traceMcpServer<S extends TraceableServer>(
  server: S,
  tracer: WorkflowTracer,
  options: McpServerOptions = {},
): S {
  const own = server.connect as (transport: unknown) => Promise<void>;
  const connect = function (this: unknown, transport: unknown): Promise<void> {
    if (isTransport(transport)) watch(transport, tracer, options);
    return Reflect.apply(own, this, [transport]);
  };
  Object.defineProperty(server, "connect", { value: connect, configurable: true, writable: true });
  return server;
}

/** The part of MCP's `Transport` where messages come and go. */
interface Transport {
  start(): Promise<void>;
  send(message: unknown, ...rest: unknown[]): Promise<void>;
  onmessage?: (message: unknown, ...rest: unknown[]) => void;
  onclose?: () => void;
}

function isTransport(value: unknown): value is Transport {
  return isObject(value) && typeof value.start === "function" && typeof value.send === "function";
}

/** A call that is being handled. */
interface Call {
  span: SpanHandle;
  /** Set where the call is an execution of its own. */
  execution: ExecutionHandle | undefined;
  /** Whether its content is kept here. */
  content: boolean;
}

/** The server listens to its transport just before it starts it: from there on we stand in between. */
function watch(transport: Transport, tracer: WorkflowTracer, options: McpServerOptions): void {
  const { start, send } = transport;
  const calls = new Map<unknown, Call>();
  const end = (id: unknown, settle: (call: Call) => void): void => {
    const call = calls.get(id);
    if (call === undefined) return;
    calls.delete(id);
    tracer.guard("mcp", () => settle(call));
  };
  const abort = (id: unknown, message: string): void => {
    const error = new DOMException(message, "AbortError");
    end(id, ({ span, execution }) => {
      span.fail(error);
      execution?.fail(error);
    });
  };

  transport.send = (message, ...rest) => {
    if (isObject(message) && !("method" in message)) end(message.id, (call) => settleWith(call, message));
    return Reflect.apply(send, transport, [message, ...rest]);
  };
  transport.start = () => {
    transport.start = start;
    const { onmessage, onclose } = transport;
    transport.onmessage = (message, ...rest) => {
      const handle = (): unknown => onmessage && Reflect.apply(onmessage, transport, [message, ...rest]);
      if (!isRequest(message)) return void handle();
      if (message.method === "notifications/cancelled")
        abort(message.params?.requestId, "The caller cancelled the call.");
      const call = tracer.guard("mcp", () => startCall(message, tracer, options));
      if (call === undefined) return void handle();
      calls.set(message.id, call);
      call.span.run(handle);
    };
    transport.onclose = () => {
      for (const id of [...calls.keys()]) abort(id, "The connection was closed before the call ended.");
      onclose?.call(transport);
    };
    return start.call(transport);
  };
}

function startCall(
  request: McpRequest,
  tracer: WorkflowTracer,
  { workflowId }: McpServerOptions,
): Call | undefined {
  const options = spanOf(request);
  if (options === undefined) return undefined;
  const from = request.params?._meta ?? {};
  const caller = readRemoteSpan(from);
  if (caller === undefined) {
    if (workflowId === undefined) return undefined;
    const execution = tracer.startExecution({ workflowId });
    return { execution, span: execution.startSpan(options), content: true };
  }
  if (caller.execution.executionId === undefined)
    return { execution: undefined, span: startJoined(tracer, from, options), content: true };
  const { name, attributes } = options;
  const span = startJoined(tracer, from, { name: `serve ${name}`, ...(attributes && { attributes }) });
  return { execution: undefined, span, content: false };
}

function settleWith({ span, execution, content }: Call, response: Record<string, unknown>): void {
  const { error, result } = response;
  if (error === undefined) endWith(span, result, content);
  else span.fail(new Error(isObject(error) ? String(error.message) : "The call failed."));
  if (execution === undefined) return;
  if (error === undefined && !(isObject(result) && result.isError === true)) execution.end();
  else execution.fail(new Error("The call failed."));
}

function isRequest(message: unknown): message is McpRequest & { id?: unknown } {
  return isObject(message) && typeof message.method === "string";
}
