import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "@opentelemetry/api";
import type { Recorder } from "./recorder.ts";
import type { SpanHandle } from "./span-handle.ts";

/** What one host callback runs under, so that code below it finds its place. */
const places = new AsyncLocalStorage<{ recorder: Recorder; handle: SpanHandle }>();

/** Engines that call the host's functions themselves may know more exactly where code runs. */
interface EngineLookup {
  /** The innermost span of this recorder, given the one whose callback is running. */
  innermost(recorder: Recorder, running: SpanHandle | undefined): SpanHandle | undefined;
  /** Where a span of another instrumentation belongs that would start in `within`. */
  exactContext(within: Context): Context;
}

let engines: EngineLookup | undefined;

export function askEngines(lookup: EngineLookup): void {
  engines = lookup;
}

export function runAt<T>(recorder: Recorder, handle: SpanHandle, work: () => T): T {
  return places.run({ recorder, handle }, work);
}

/** The innermost span of this recorder whose callback is running. */
export function activeHandle(recorder: Recorder): SpanHandle | undefined {
  const place = places.getStore();
  const running = place?.recorder === recorder ? place.handle : undefined;
  return engines === undefined ? running : engines.innermost(recorder, running);
}

/** Where a span of another instrumentation belongs that would start in `within`. */
export function exactContext(within: Context): Context {
  return engines?.exactContext(within) ?? within;
}
