import { OpenTelemetry, type OpenTelemetryOptions } from "@ai-sdk/otel";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import { otelTracer } from "../otel/otel-tracer.ts";
import type { SpanHandle } from "../span-handle.ts";

/** What `@ai-sdk/otel` takes, such as `agentSpanName` and `enrichSpan`. */
export type AiSdkOptions = Omit<OpenTelemetryOptions, "tracer" | "durable">;

/**
 * A telemetry integration for AI SDK 7: `registerTelemetry(aiSdkTelemetry(tracer))` once, or for one call
 * `telemetry: { integrations: aiSdkTelemetry(tracer) }`. Calls of models and tools become spans below the span that is
 * active, with messages, usage and the first token's time; inside a tool's `execute` the tool's span is the active one.
 *
 * AI SDK 5 and 6 take the tracer itself: `experimental_telemetry: { isEnabled: true, tracer: otelTracer(tracer) }`, from
 * `@spanloom/tracer/otel`.
 */
export function aiSdkTelemetry(tracer: WorkflowTracer, options: AiSdkOptions = {}): OpenTelemetry {
  return new AiSdkTelemetry(tracer, options);
}

/** Tools that have started and whose `execute` is about to be called: more than these were never run. */
const MAX_STARTING = 1_000;

class AiSdkTelemetry extends OpenTelemetry {
  /** By call and tool call: AI SDK says which runs, OpenTelemetry's context needs a context manager to know. */
  readonly #starting = new Map<string, SpanHandle>();
  readonly #latest: { span?: SpanHandle };

  constructor(tracer: WorkflowTracer, options: AiSdkOptions) {
    const latest: { span?: SpanHandle } = {};
    const started = otelTracer(tracer, (span) => {
      latest.span = span;
    });
    super({ ...options, tracer: started });
    this.#latest = latest;
  }

  override onToolExecutionStart(...args: Parameters<OpenTelemetry["onToolExecutionStart"]>): void {
    delete this.#latest.span;
    super.onToolExecutionStart(...args);
    const { span } = this.#latest;
    const [{ callId, toolCall }] = args;
    if (span !== undefined) this.#starting.set(`${callId} ${toolCall.toolCallId}`, span);
    const [oldest] = this.#starting.keys();
    if (this.#starting.size > MAX_STARTING && oldest !== undefined) this.#starting.delete(oldest);
  }

  override executeTool<T>(call: {
    callId: string;
    toolCallId: string;
    execute: () => PromiseLike<T>;
  }): PromiseLike<T> {
    const key = `${call.callId} ${call.toolCallId}`;
    const span = this.#starting.get(key);
    this.#starting.delete(key);
    if (span === undefined) return super.executeTool(call);
    return super.executeTool({ ...call, execute: () => span.run(call.execute) });
  }
}
