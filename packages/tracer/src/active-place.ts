import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, context, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { type Parent, parentIn } from "./otel/private-provider.ts";
import type { Recorder, Recording } from "./recorder.ts";
import type { SpanHandle } from "./span-handle.ts";

/** What code runs under, so that what starts below it finds its place. */
interface ActivePlace {
  /** The innermost span of ours whose callback is running. */
  handle?: SpanHandle;
  /** The innermost one of another tracer around it. One alone: a chain of places would keep all that ever ran. */
  outer?: SpanHandle | undefined;
  /** OpenTelemetry's context, where it is another than the handle's own. */
  context: Context | undefined;
}

export type Callable = (...args: never[]) => unknown;

const places = new AsyncLocalStorage<ActivePlace>();

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

/** True while OpenTelemetry asks `activeContext` for its context: then one entry says both, and most contexts are never made. */
let carriesContext = false;

export function carryContext(carries: boolean): void {
  carriesContext = carries;
}

/** Runs the host's code so that spans started below it, ours and those of other instrumentations, find their parent. */
export function runAt<H extends SpanHandle, T>(handle: H, work: (handle: H) => T): T {
  const { recording } = handle;
  // What is not recorded must not become the parent of the host's own spans: these would not be sampled either.
  const { recorded } = recording.facts.execution;
  const around = places.getStore();
  const outer = around?.handle?.recorder === handle.recorder ? around.outer : around?.handle;
  const place = { handle, outer, context: recorded ? undefined : context.active() };
  return carriesContext || !recorded
    ? places.run(place, work, handle)
    : places.run(place, () => context.with(recording.context, () => work(handle)));
}

/** Where a span below this one starts: in the host's own context, where it has put one around its code, such as baggage. */
export function placeBelow(recording: Recording): Parent {
  const here = carriesContext ? places.getStore()?.context : context.active();
  const isOwn = here === undefined || trace.getSpan(here) !== recording.span || here === recording.context;
  return isOwn ? recording : parentIn(here);
}

/** The innermost span of this recorder whose callback is running. */
export function activeHandle(recorder: Recorder): SpanHandle | undefined {
  const { handle, outer } = places.getStore() ?? {};
  const running = [handle, outer].find((one) => one?.recorder === recorder);
  return engines === undefined ? running : engines.innermost(recorder, running);
}

/** Where a span of another instrumentation belongs that would start in `within`. */
export function exactContext(within: Context): Context {
  return engines?.exactContext(within) ?? within;
}

/** OpenTelemetry's context here, where `callWithin` and `runAt` carry it. */
export function activeContext(): Context {
  const place = places.getStore();
  return place?.context ?? place?.handle?.recording.context ?? ROOT_CONTEXT;
}

/** Calls a function in another context of OpenTelemetry, below the same span of ours. */
export function callWithin(within: Context, fn: Callable, thisArg: unknown, args: unknown[]): unknown {
  return places.run({ ...places.getStore(), context: within }, () => Reflect.apply(fn, thisArg, args));
}
