import { exactContext } from "../active-place.ts";
import type { ProblemReporter } from "../problems.ts";
import type { OtelSpan, OtelSpanProcessor } from "./otel-span.ts";
import { RecordingSpan } from "./recording-span.ts";
import type { StoreSpanProcessor } from "./store-span-processor.ts";

export interface HostSpansOptions {
  /** Keeps spans that run outside of executions, too: each trace of them is an execution of its own. Default false. */
  all?: boolean;
}

/** Takes spans of a provider that the host owns. Nothing in it throws or ends what is not its own. */
export function hostSpanProcessor(
  store: StoreSpanProcessor,
  flush: () => Promise<unknown>,
  { all = false }: HostSpansOptions = {},
  problems: ProblemReporter,
): OtelSpanProcessor {
  let watch: Promise<(span: OtelSpan) => void> | undefined;
  const flushed = async (): Promise<void> => {
    await Promise.all([flush(), watch]);
  };
  return {
    onStart(span, parentContext) {
      problems.guard("span processor", () => {
        if (span instanceof RecordingSpan) return;
        const within = exactContext(parentContext);
        if (all || store.isBelowOurs(within)) store.onStart(span, within);
      });
    },
    onEnd(span) {
      problems.guard("span processor", () => store.onEnd(span));
      watch ??= import("./exposed-content.ts").then(({ watchForContent }) => watchForContent(problems));
      watch.then((look) => look(span)).catch((error: unknown) => {
        problems.report("internal", "span processor", "A span could not be looked at.", error);
      });
    },
    forceFlush: flushed,
    // The host's provider ends; the tracer has an end of its own.
    shutdown: flushed,
  };
}
