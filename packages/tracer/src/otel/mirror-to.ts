import type { HrTime } from "../clock.ts";
import { guardedProcessor } from "./guarded-processor.ts";
import type { Mirror } from "./mirror.ts";
import { mirrorAttributes } from "./mirror-attributes.ts";
import type { OtelSpanProcessor } from "./otel-span.ts";
import type { RecordingSpan } from "./recording-span.ts";
import { sdkResource } from "./sdk-resource.ts";

/**
 * Lets processors of the host, of either SDK line, see our spans, too: `createWorkflowTracer({ mirror: mirrorTo(processor) })`.
 * They get ids and figures as attributes, never content. Names, events, links and messages of errors are as the host's
 * code gave them: `redactingExporter` around the exporter takes secrets out of these, too.
 */
export function mirrorTo(...processors: OtelSpanProcessor[]): Mirror {
  return {
    open: (problems) => {
      const guarded = processors.map((processor) => guardedProcessor(processor, problems));
      return {
        resource: sdkResource,
        describe(span, facts) {
          const attributes = mirrorAttributes(facts);
          facts.mirrored ??= new Set();
          for (const key of Object.keys(attributes)) facts.mirrored.add(key);
          span.setAttributes(attributes);
        },
        onStart(span, within) {
          Object.defineProperty(span, "duration", { get: () => durationOf(span), configurable: true });
          for (const processor of guarded) processor.onStart(span, within);
        },
        onEnding(span) {
          for (const processor of guarded) processor.onEnding(span);
        },
        onEnd(span) {
          for (const processor of guarded) processor.onEnd(span);
        },
        shutdown: () => Promise.all(guarded.map((processor) => processor.shutdown())),
      };
    },
  };
}

/** What exporters of an SDK read, beside start and end. */
function durationOf({ ended, startTime, endTime }: RecordingSpan): HrTime {
  if (!ended) return [-1, -1];
  const nanos = (endTime[0] - startTime[0]) * 1e9 + endTime[1] - startTime[1];
  return [Math.floor(nanos / 1e9), nanos % 1e9];
}
