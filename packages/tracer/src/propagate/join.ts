import { context, propagation, trace } from "@opentelemetry/api";
import { ExecutionClock } from "../clock.ts";
import { startExecution } from "../execution.ts";
import { SpanFacts } from "../facts.ts";
import type { Recorder } from "../recorder.ts";
import { SpanHandle, type SpanOptions } from "../span-handle.ts";
import { ExecutionTotals } from "../totals.ts";
import { type RemoteSpan, readRemoteSpan, type TraceSource } from "./remote-span.ts";

export interface JoinOptions extends SpanOptions {
  /** The host's id of the workflow, for work that nothing traced has started. The name where absent. */
  workflowId?: string;
}

/** A span below one of another process, or an execution of its own where there is none. */
export function startJoined(recorder: Recorder, from: TraceSource, options: JoinOptions): SpanHandle {
  const { name, kind, input, attributes, workflowId = name } = options;
  const remote = recorder.problems.guard("join", () => readRemoteSpan(from));
  if (remote === undefined) {
    const content = {
      ...(input !== undefined && { input }),
      ...(attributes !== undefined && { attributes }),
    };
    return startExecution(recorder, { workflowId, workflowName: name, ...content });
  }
  const facts = factsOf(remote, kind ?? "internal");
  if (facts.kind === "agent") facts.agent = name;
  const around = trace.setSpanContext(context.active(), remote.context);
  const within = propagation.setBaggage(around, propagation.createBaggage(remote.baggage));
  return new SpanHandle(recorder, recorder.start(name, facts, within), name).prepare(input, attributes);
}

/**
 * The same execution, without its status: only the process that started the execution says how it ends. A caller that
 * names no execution leaves it to the store, which knows whose trace it is.
 */
function factsOf({ execution, node }: RemoteSpan, kind: SpanFacts["kind"]): SpanFacts {
  return new SpanFacts(
    { ...execution, clock: new ExecutionClock(), totals: new ExecutionTotals() },
    kind,
    node,
  );
}
