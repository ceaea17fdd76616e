import { guardedProcessor } from "./guarded-processor.ts";
import type { Mirror } from "./mirror.ts";
import { mirrorAttributes } from "./mirror-attributes.ts";
import type { OtelSpanProcessor } from "./otel-span.ts";
import { sdkResource } from "./sdk-resource.ts";

/**
 * Lets processors of the host, of either SDK line, see our spans, too: `createWorkflowTracer({ mirror: mirrorTo(processor) })`.
 * They get ids and figures as attributes, never content.
 */
export function mirrorTo(...processors: OtelSpanProcessor[]): Mirror {
  return {
    open: (problems) => {
      const guarded = processors.map((processor) => guardedProcessor(processor, problems));
      return {
        resource: sdkResource,
        describe(span, name, facts) {
          const attributes = mirrorAttributes(name, facts);
          facts.mirrored ??= new Set();
          for (const key of Object.keys(attributes)) facts.mirrored.add(key);
          span.setAttributes(attributes);
        },
        onStart(span, within) {
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
