import { context, propagation, trace } from "@opentelemetry/api";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { startExecution, unnamedExecution } from "../execution.ts";
import { SpanFacts } from "../facts.ts";
import { parentIn } from "../otel/private-provider.ts";
import type { Recorder } from "../recorder.ts";
import { runSpan } from "../run-span.ts";
import { safeKind, safeName } from "../safe.ts";
import { SpanHandle, type SpanOptions } from "../span-handle.ts";
import { type RemoteSpan, readRemoteSpan, type TraceSource } from "./remote-span.ts";

export interface JoinOptions extends SpanOptions {
  /** The host's id of the workflow, for work that nothing traced has started. The name where absent. */
  workflowId?: string;
}

/**
 * Runs work that another process asked for below the span that asked, in the same execution: `from` is the headers of a
 * request, `process.env`, or the `_meta` of an MCP request. Where nothing readable is said there, the work is an execution
 * of its own. Join only callers you trust: they choose the execution that the spans appear in.
 */
export function joinTrace<T>(
  tracer: WorkflowTracer,
  from: TraceSource,
  options: JoinOptions,
  run: (span: SpanHandle) => T,
): T {
  return runSpan(startJoined(tracer, from, options), run);
}

/** The same by hand: call `end` or `fail`. */
export function startJoined(
  { recorder }: WorkflowTracer,
  from: TraceSource,
  options: JoinOptions,
): SpanHandle {
  const remote = recorder.problems.guard("join", () => readRemoteSpan(from));
  try {
    return start(recorder, remote, options);
  } catch (error) {
    const message = "The options of a span could not be read; it was started without them.";
    recorder.problems.report("invalid_argument", "join", message, error);
    return start(recorder, remote, { name: "join" });
  }
}

function start(recorder: Recorder, remote: RemoteSpan | undefined, options: JoinOptions): SpanHandle {
  const { kind = "internal", input, attributes } = options;
  const name = safeName(options.name, "join");
  if (remote === undefined) {
    const { workflowId = name } = options;
    const content = {
      ...(input !== undefined && { input }),
      ...(attributes !== undefined && { attributes }),
    };
    return startExecution(recorder, { workflowId, workflowName: name, ...content });
  }
  const facts = factsOf(recorder, remote, safeKind(kind), name);
  const around = trace.setSpanContext(context.active(), remote.context);
  const within = propagation.setBaggage(around, propagation.createBaggage(remote.baggage));
  return new SpanHandle(recorder, recorder.start(facts, parentIn(within))).prepare(input, attributes);
}

/**
 * The same execution, without its status: only the process that started the execution says how it ends. A caller that
 * names no execution leaves it to the store, which knows whose trace it is.
 */
function factsOf(
  recorder: Recorder,
  { execution, node }: RemoteSpan,
  kind: SpanFacts["kind"],
  name: string,
): SpanFacts {
  return new SpanFacts({ ...unnamedExecution(recorder), ...execution }, kind, node, name);
}
