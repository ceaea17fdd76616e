import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { Recorder } from "./recorder.ts";
import type { SpanHandle } from "./span-handle.ts";

/** Of an engine that calls the host's functions itself: the span of the one that runs just now. */
export type Locate = () => SpanHandle | undefined;

interface Place {
  recorder: Recorder;
  handle: SpanHandle;
  locate: Locate | undefined;
}

/** What one host callback runs under, so that code below it finds its place. */
const places = new AsyncLocalStorage<Place>();

export function runAt<T>(recorder: Recorder, handle: SpanHandle, locate: Locate | undefined, work: () => T): T {
  return places.run({ recorder, handle, locate }, work);
}

/** The span of this recorder whose callback is running. */
export function activeHandle(recorder: Recorder): SpanHandle | undefined {
  const place = places.getStore();
  return place?.recorder === recorder ? located(place) : undefined;
}

/** Where a span of another instrumentation belongs that would start in `within`: an engine may know it more exactly. */
export function exactContext(within: Context, spanIn: (context: Context) => unknown): Context {
  const place = places.getStore();
  if (place?.locate === undefined || place.handle.recording.span !== spanIn(within)) return within;
  return located(place).recording.context;
}

function located({ recorder, handle, locate }: Place): SpanHandle {
  return (locate && recorder.problems.guard("active span", locate)) ?? handle;
}
