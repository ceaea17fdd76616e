import { runSpan } from "./run-span.ts";
import type { SpanHandle } from "./span-handle.ts";

export interface WaitOptions {
  /** What is waited for, such as `approval`. */
  name: string;
  /** What the human is shown, or what was asked. */
  input?: unknown;
  attributes?: Record<string, unknown>;
}

/** Waits inside the running code: meanwhile the whole execution is shown as waiting. */
export function waitIn<T>(above: SpanHandle, options: WaitOptions, run: (wait: SpanHandle) => T): T {
  const { root } = above.recording.facts.execution;
  const count = (step: 1 | -1): void => {
    root.waits += step;
    const { facts } = root;
    if (facts === undefined || (facts.status !== "running" && facts.status !== "waiting")) return;
    facts.status = root.waits > 0 ? "waiting" : "running";
    facts.changes++;
  };
  const wait = above.startSpan(options).setAttributes({ waiting: true });
  count(1);
  wait.onEnded = () => count(-1);
  return runSpan(wait, run);
}
