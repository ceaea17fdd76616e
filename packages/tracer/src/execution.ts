import { type Context, context, type Link, trace } from "@opentelemetry/api";
import { newExecutionId, traceIdToUuid } from "@spanloom/model";
import { ExecutionClock } from "./clock.ts";
import { type ExecutionFacts, SpanFacts } from "./facts.ts";
import { isCancellation } from "./failure.ts";
import { linkTo } from "./otel/link-to.ts";
import { parentIn } from "./otel/private-provider.ts";
import type { ProblemReporter } from "./problems.ts";
import type { EndOptions } from "./recorded-span.ts";
import type { Recorder, Recording } from "./recorder.ts";
import { safeId, safeName } from "./safe.ts";
import { SpanHandle } from "./span-handle.ts";

export interface ExecutionOptions {
  /** The host's id of the workflow. */
  workflowId: string;
  /** What people call it; the id where absent. */
  workflowName?: string;
  /** The host's id of this run; a UUIDv4 of ours where absent. */
  executionId?: string;
  /** The conversation or session that the run belongs to. */
  threadId?: string;
  input?: unknown;
  attributes?: Record<string, unknown>;
  /** Default the tracer's. When false this run is not recorded. */
  enabled?: boolean;
  /** When it is aborted, what the callback throws because of it ends the execution as cancelled. Handles give it as `signal`. */
  signal?: AbortSignal;
  /**
   * Joins the trace that is active where the execution starts. By default each execution is a trace of its own, which
   * links to the active span.
   */
  joinActiveTrace?: boolean;
  /** What `wait` gave: the execution goes on with its id, in a new trace that links to the one where it stopped. */
  resumes?: ResumePoint | { traceId: string; spanId: string };
}

/** Where an execution stopped to wait. Plain JSON: keep it until the answer is there. */
export interface ResumePoint {
  executionId: string;
  traceId: string;
  spanId: string;
}

/** An execution that runs. */
export class ExecutionHandle extends SpanHandle {
  readonly executionId: string;
  /** The trace id as a UUID with dashes, as hosts keep it in their tables. */
  readonly traceUuid: string;
  readonly #onAbort = (): void => void this.addEvent("execution.cancel_requested");

  /** @internal */
  constructor(recorder: Recorder, recording: Recording) {
    super(recorder, recording);
    this.executionId = recording.facts.execution.executionId ?? this.traceId;
    this.traceUuid = traceIdToUuid(this.traceId);
    recorder.problems.guard("signal", () =>
      this.signal?.addEventListener("abort", this.#onAbort, { once: true }),
    );
  }

  override end(options?: EndOptions): void {
    this.#settle("completed");
    super.end(options);
  }

  /** An `AbortError`, or the reason of the aborted `signal`, ends the execution as cancelled, any other error as failed. */
  override fail(error: unknown): void {
    this.#settle(isCancellation(error, this.signal) ? "cancelled" : "failed");
    super.fail(error);
  }

  /** Ends the execution because somebody stopped it. */
  cancel(reason = "cancelled"): void {
    this.#settle("cancelled");
    this.addEvent("execution.cancelled", { reason });
    super.end();
  }

  /**
   * Ends this stretch of the execution while it waits, for a human or an event outside, perhaps for days and in another
   * process. Hand what this gives to `resumes` when it goes on. For a wait inside the running code use `waitFor`.
   */
  wait(options?: EndOptions): ResumePoint {
    this.#settle("waiting");
    super.end(options);
    return { executionId: this.executionId, traceId: this.traceId, spanId: this.spanId };
  }

  #settle(status: NonNullable<SpanFacts["status"]>): void {
    if (this.ended) return;
    this.recording.facts.status = status;
    this.recorder.problems.guard("signal", () => this.signal?.removeEventListener("abort", this.#onAbort));
  }
}

/** Never throws: options that cannot be read cost the run its names, not its life. */
export function startExecution(recorder: Recorder, options: ExecutionOptions): ExecutionHandle {
  try {
    return start(recorder, options);
  } catch (error) {
    recorder.problems.report(
      "invalid_argument",
      "execution",
      "The options of an execution could not be read; it was started without them.",
      error,
    );
    return start(recorder, {} as ExecutionOptions);
  }
}

/** For spans of an execution that started elsewhere, or that nobody has started. */
export function unnamedExecution(recorder: Recorder, enabled?: boolean): ExecutionFacts {
  return {
    recorded: recorder.records(enabled),
    clock: new ExecutionClock(),
    root: { waits: 0 },
  };
}

function start(recorder: Recorder, options: ExecutionOptions): ExecutionHandle {
  const { workflowName, threadId, signal, resumes, joinActiveTrace = false, input, attributes } = options;
  const { problems } = recorder;
  const executionId =
    options.executionId ?? (resumes && "executionId" in resumes ? resumes.executionId : undefined);
  const execution: ExecutionFacts = {
    executionId: executionId === undefined ? newExecutionId() : safeId(executionId, "execution", problems),
    workflowId: safeId(options.workflowId, "workflow", problems),
    ...unnamedExecution(recorder, options.enabled),
  };
  if (workflowName !== undefined && workflowName !== null)
    execution.workflowName = safeName(workflowName, execution.workflowId ?? "");
  // Hosts without a conversation often have an empty id.
  if (threadId !== undefined && threadId !== null && threadId !== "")
    execution.threadId = safeId(threadId, "thread", problems);
  if (signal instanceof AbortSignal) execution.signal = signal;
  const name = execution.workflowName ?? execution.workflowId ?? "execution";
  const facts = new SpanFacts(execution, "workflow", undefined, name);
  facts.status = "running";
  execution.root.facts = facts;
  const around = recorder.around();
  const within = joinActiveTrace ? around : trace.deleteSpan(context.active());
  const recording = recorder.start(facts, parentIn(within), linksOf(options, around, problems));
  return new ExecutionHandle(recorder, recording).prepare(input, attributes);
}

function linksOf(
  { joinActiveTrace, resumes }: ExecutionOptions,
  around: Context,
  problems: ProblemReporter,
): Link[] {
  const links: Link[] = [];
  const caller = joinActiveTrace ? undefined : trace.getSpanContext(around);
  if (caller !== undefined && trace.isSpanContextValid(caller)) links.push({ context: caller });
  const resumed = resumes && linkTo(resumes, { "spanloom.link": "resumes" }, problems);
  if (resumed) links.push(resumed);
  return links;
}
