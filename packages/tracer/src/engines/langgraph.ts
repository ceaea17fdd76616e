import type { CallbackManager } from "@langchain/core/callbacks/manager";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import type { ExecutionHandle, ExecutionOptions } from "../execution.ts";
import type { SpanHandle } from "../span-handle.ts";
import { isObject, readState } from "./langchain-content.ts";
import { TakenEdges } from "./langgraph-edges.ts";
import { GraphRunHandler } from "./langgraph-handler.ts";
import { GraphNodes } from "./langgraph-nodes.ts";
import { GraphStates } from "./langgraph-state.ts";
import { addLocator } from "./locators.ts";

export interface LangGraphOptions {
  /** The host's id of the workflow. */
  workflowId: string;
  /** What people call it; the id where absent. */
  workflowName?: string;
  /** The host's id of a run, or how to find it in the run's config. A UUIDv4 of ours where absent. */
  executionId?: string | ((config: Readonly<Record<string, unknown>>) => string | undefined);
  /** The kind of a node in the host's words. Nodes of subgraphs have ids such as `outer/inner`. */
  nodeType?: (nodeId: string) => string | undefined;
  /** Default true. When false the state before and after each node is not kept: large states weigh on the store. */
  captureState?: boolean;
  /** Attributes for each run's root. */
  attributes?: Record<string, unknown>;
  /** Called with each run as it starts, such as to keep its ids. */
  onStart?: (execution: ExecutionHandle) => void;
}

/** A compiled graph, by the methods that are traced. */
export interface TraceableGraph {
  invoke: (input: never, config?: never) => Promise<unknown>;
  stream: (input: never, config?: never) => Promise<unknown>;
}

/**
 * Gives the compiled graph back, with `invoke`, `stream`, `streamEvents` and `batch` traced: each run is one execution
 * with a span for every node, model call, tool and retriever, and every attempt of a node. Results, streams and errors
 * are LangGraph's own, untouched. Inside an execution of the same tracer, a call becomes part of that execution. Code
 * inside a node finds it with `tracer.activeSpan()`.
 *
 * `configurable.thread_id` becomes the thread. A run that is interrupted ends as `waiting`; when the same wrapped graph is
 * called again on its thread with a `Command({ resume })`, the execution goes on.
 */
export function traceLangGraph<G extends TraceableGraph>(
  graph: G,
  tracer: WorkflowTracer,
  options: LangGraphOptions,
): G {
  addLocator(nodesOfLangChain);
  const waiting = new Map<string, Waiting>();
  const traced =
    (method: (...args: unknown[]) => unknown) =>
    (input: unknown, config?: unknown, ...rest: unknown[]): unknown => {
      const run = tracer.guard("langgraph", () => startRun(graph, tracer, options, waiting, input, config));
      if (run === undefined) return method.call(graph, input, config, ...rest);
      const watch = (stream: unknown): void =>
        tracer.guard("langgraph", () => watchReader(stream, run.abandon));
      try {
        const result = run.root.run(() => method.call(graph, input, run.config, ...rest));
        // LangGraph reports the end of a run itself. What fails before the run starts, and a reader who leaves a stream
        // before its end, are seen only here.
        if (result instanceof Promise) {
          result.then(watch, (error: unknown) => run.settle({ error, interrupted: false }));
        } else watch(result);
        return result;
      } catch (error) {
        run.settle({ error, interrupted: false });
        throw error;
      }
    };
  // Methods run on the graph itself, not on the proxy: LangGraph's classes have private members.
  const methods = new Map<PropertyKey, unknown>();
  return new Proxy(graph, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function" || key === "constructor") return value;
      let method = methods.get(key);
      if (method === undefined) {
        const own = value as (...args: unknown[]) => unknown;
        if (key === "invoke" || key === "stream" || key === "streamEvents") method = traced(own);
        else if (key === "batch") method = own.bind(withInvoke(target, traced(target.invoke as never)));
        else method = own.bind(target);
        methods.set(key, method);
      }
      return method;
    },
  });
}

/** Where a thread's execution stopped to wait. */
interface Waiting {
  executionId: string;
  traceId: string;
  spanId: string;
}

const MAX_WAITING = 1_000;

type Settle = ConstructorParameters<typeof GraphRunHandler>[2]["onSettled"];

function startRun(
  graph: object,
  tracer: WorkflowTracer,
  options: LangGraphOptions,
  waiting: Map<string, Waiting>,
  input: unknown,
  given: unknown,
): { root: SpanHandle; config: Record<string, unknown>; settle: Settle; abandon: () => void } {
  const config = isObject(given) ? given : {};
  const { workflowId, workflowName = workflowId, attributes, nodeType, captureState = true } = options;
  const around = tracer.activeSpan();
  const content = { input: readState(input), ...(attributes !== undefined && { attributes }) };
  let root: SpanHandle;
  let settle: Settle;
  if (around !== undefined && !around.ended) {
    root = around.startSpan({ kind: "agent", name: workflowName, ...content });
    settle = ({ error, output }) => (error === undefined ? root.end({ output }) : root.fail(error));
  } else {
    const execution = startExecution(tracer, options, waiting, input, config, content);
    root = execution;
    settle = settleExecution(execution, config, waiting);
    const { onStart } = options;
    if (onStart !== undefined) tracer.guard("langgraph onStart", () => onStart(execution));
  }
  const states = new GraphStates(root, captureState, (work) => tracer.guard("langgraph", work));
  const edges = tracer.guard("langgraph", () => new TakenEdges(graph)) ?? new TakenEdges({});
  const handler = new GraphRunHandler(tracer, root, {
    nodes: new GraphNodes(
      edges,
      states,
      nodeType && ((id) => tracer.guard("langgraph nodeType", () => nodeType(id))),
    ),
    onSettled: (outcome) => settle({ ...outcome, interrupted: outcome.interrupted || states.interrupted }),
  });
  const abandon = (): void => {
    if (root.ended) return;
    const error = new DOMException("The reader left the stream before its end.", "AbortError");
    tracer.guard("langgraph", () => handler.abandon(error));
    settle({ error, interrupted: false });
  };
  const traced = { ...config, callbacks: withHandler(config.callbacks, handler) };
  return { root, settle, abandon, config: withStates(traced, states) };
}

/**
 * Lets `states` listen. Not where the host looks at checkpoints, which show the config that they were made with, nor
 * where it goes back in time or hands a stream down itself.
 */
function withStates(config: Record<string, unknown>, states: GraphStates): Record<string, unknown> {
  const { streamMode, version } = config;
  const configurable = isObject(config.configurable) ? config.configurable : {};
  const modes: unknown[] = Array.isArray(streamMode) ? streamMode : [streamMode];
  const looks = modes.includes("debug") || modes.includes("checkpoints") || version === "v3";
  if (looks || STREAM_KEY in configurable || "checkpoint_map" in configurable) return config;
  return { ...config, configurable: { ...configurable, [STREAM_KEY]: states } };
}

/** Under which LangGraph hands the stream of a graph to its subgraphs. */
const STREAM_KEY = "__pregel_stream";

/** The nodes that run here: LangChain carries its callbacks, and so our handlers, through the code that it calls. */
function nodesOfLangChain(): SpanHandle[] {
  const callbacks: unknown = AsyncLocalStorageProviderSingleton.getRunnableConfig()?.callbacks;
  if (!isObject(callbacks) || !Array.isArray(callbacks.handlers)) return [];
  if (typeof callbacks.getParentRunId !== "function") return [];
  const runId: unknown = callbacks.getParentRunId();
  if (typeof runId !== "string") return [];
  return callbacks.handlers.flatMap((handler: unknown) => {
    const span = handler instanceof GraphRunHandler ? handler.spanOf(runId) : undefined;
    return span === undefined || span.ended ? [] : [span];
  });
}

/** The graph as its own `batch` sees it: with an `invoke` that is traced. */
function withInvoke<G extends TraceableGraph>(graph: G, invoke: (...args: unknown[]) => unknown): G {
  return Object.create(graph, { invoke: { value: invoke } });
}

function startExecution(
  tracer: WorkflowTracer,
  options: LangGraphOptions,
  waiting: Map<string, Waiting>,
  input: unknown,
  config: Record<string, unknown>,
  content: Pick<ExecutionOptions, "input" | "attributes">,
): ExecutionHandle {
  const { workflowId, workflowName } = options;
  const threadId = threadOf(config);
  const before = threadId !== undefined && isResume(input) ? waiting.get(threadId) : undefined;
  const given = options.executionId;
  const named =
    typeof given === "function" ? tracer.guard("langgraph executionId", () => given(config)) : given;
  const executionId = named ?? before?.executionId;
  return tracer.startExecution({
    workflowId,
    ...content,
    ...(workflowName !== undefined && { workflowName }),
    ...(executionId !== undefined && { executionId }),
    ...(threadId !== undefined && { threadId }),
    ...(before !== undefined && { resumes: { traceId: before.traceId, spanId: before.spanId } }),
  });
}

function settleExecution(
  execution: ExecutionHandle,
  config: Record<string, unknown>,
  waiting: Map<string, Waiting>,
): Settle {
  const threadId = threadOf(config);
  const { signal } = config;
  return ({ error, output, interrupted }) => {
    if (execution.ended) return;
    if (threadId !== undefined) waiting.delete(threadId);
    if (error !== undefined) {
      // LangGraph reports a run that was aborted with an error of its own; the reason says whether it was a decision.
      return execution.fail(signal instanceof AbortSignal && signal.aborted ? signal.reason : error);
    }
    if (!interrupted) return execution.end({ output });
    execution.wait({ output });
    if (threadId === undefined) return;
    const { executionId, traceId, spanId } = execution;
    waiting.set(threadId, { executionId, traceId, spanId });
    const [oldest] = waiting.keys();
    if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest);
  };
}

/** Listens to a stream's own `return` and `cancel`, which are what a `break` in `for await` calls. The stream stays the same object. */
function watchReader(stream: unknown, onLeave: () => void): void {
  if (!(stream instanceof ReadableStream)) return;
  for (const name of ["return", "cancel"]) {
    const own: unknown = Reflect.get(stream, name);
    if (typeof own !== "function") continue;
    const watched = (...args: unknown[]): unknown => {
      onLeave();
      return Reflect.apply(own, stream, args);
    };
    Object.defineProperty(stream, name, { value: watched, configurable: true, writable: true });
  }
}

function threadOf({ configurable }: Record<string, unknown>): string | undefined {
  const threadId = isObject(configurable) ? configurable.thread_id : undefined;
  return typeof threadId === "string" && threadId !== "" ? threadId : undefined;
}

/** A `Command` that answers an interrupt, or `null`, with which LangGraph goes on after a breakpoint. */
function isResume(input: unknown): boolean {
  return input === null || (isObject(input) && input.lg_name === "Command" && input.resume !== undefined);
}

/** The host's callbacks and ours. Inside another runnable, LangChain hands callbacks on by itself: these stay, too. */
function withHandler(callbacks: unknown, handler: GraphRunHandler): unknown {
  const given = callbacks ?? AsyncLocalStorageProviderSingleton.getRunnableConfig()?.callbacks;
  if (given === undefined || given === null) return [handler];
  if (Array.isArray(given)) return [...given, handler];
  const manager = (given as CallbackManager).copy();
  manager.addHandler(handler, true);
  return manager;
}
