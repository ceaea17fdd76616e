import type { ProblemReporter } from "../problems.ts";
import type { OtelSpanProcessor } from "./otel-span.ts";

/** A processor of the host: what it throws is reported, and costs neither our spans nor the workflow anything. */
export function guardedProcessor(
  processor: OtelSpanProcessor,
  problems: ProblemReporter,
): Required<OtelSpanProcessor> {
  const failed = (error: unknown): void =>
    problems.report("callback_failed", "span processor", "A span processor of the host failed.", error);
  const guard = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  };
  const settle = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed(error);
    }
  };
  return {
    onStart: (span, context) => guard(() => processor.onStart(span, context)),
    onEnding: (span) => guard(() => processor.onEnding?.(span)),
    onEnd: (span) => guard(() => processor.onEnd(span)),
    forceFlush: () => settle(() => processor.forceFlush()),
    shutdown: () => settle(() => processor.shutdown()),
  };
}
