import { type ScopedStore, SpanloomError, type SpanSink, type TraceReader } from "@spanloom/model";
import { replaceRedacted } from "../redact-through.ts";
import { ADMINISTRATION, type PortMethod, READS, STREAMS, WRITES } from "./messages.ts";
import type { ServePortOptions } from "./serve-port.ts";

/** What can stand behind a port: a scoped store, or a reader alone. */
export type ServedStore = TraceReader &
  Partial<SpanSink & Pick<ScopedStore, "deleteExecution" | "prune" | "redact" | "recompute">>;

/** Calls that have one answer. */
export type CallMethod = Exclude<PortMethod, (typeof STREAMS)[number]>;

/** What comes over a port has any type; stores check what they are given. */
type Served = (...args: never[]) => Promise<unknown>;

/** What can be called, by name: nothing else of the store can be reached. */
export function servedMethods(
  store: ServedStore,
): Record<CallMethod, (...args: unknown[]) => Promise<unknown>> {
  const methods: Record<CallMethod, Served> = {
    listExecutions: store.listExecutions.bind(store),
    getExecutions: store.getExecutions.bind(store),
    getExecution: store.getExecution.bind(store),
    getTrace: store.getTrace.bind(store),
    getSpan: store.getSpan.bind(store),
    changesSince: store.changesSince.bind(store),
    searchSpans: store.searchSpans.bind(store),
    getRunMetrics: store.getRunMetrics.bind(store),
    getDailyCosts: store.getDailyCosts.bind(store),
    getAnalytics: store.getAnalytics.bind(store),
    write: store.write?.bind(store) ?? missing("write"),
    deleteExecution: store.deleteExecution?.bind(store) ?? missing("deleteExecution"),
    prune: store.prune?.bind(store) ?? missing("prune"),
    recompute: store.recompute?.bind(store) ?? missing("recompute"),
    redactSpans:
      store.redact === undefined ? missing("redact") : replaceRedacted.bind(undefined, store as ScopedStore),
  };
  return methods as Record<CallMethod, (...args: unknown[]) => Promise<unknown>>;
}

/** Why a call is not even tried; `undefined` where it may be. */
export function refusalOf(
  method: unknown,
  args: unknown,
  { write = false, administration = false }: ServePortOptions,
): SpanloomError | undefined {
  const isOne = (methods: readonly string[]): boolean => methods.some((one) => one === method);
  if (!Array.isArray(args) || !isOne([...READS, ...WRITES, ...ADMINISTRATION, ...STREAMS])) {
    return new SpanloomError("not_supported", {
      what: "The call is none that the port answers.",
      fix: "Check that both sides have the same version of Spanloom.",
    });
  }
  if (isOne(WRITES) && !write) return notPermitted("Spans cannot be written", "write");
  if (isOne(ADMINISTRATION) && !administration) {
    return notPermitted("Nothing can be deleted, pruned, redacted or rebuilt", "administration");
  }
  return undefined;
}

function missing(method: string): Served {
  return async () => {
    throw new SpanloomError("not_supported", {
      what: `The store behind the port has no ${method}.`,
      fix: "Serve a whole store of one scope, as forScope gives it.",
    });
  };
}

function notPermitted(what: string, option: keyof ServePortOptions): SpanloomError {
  return new SpanloomError("not_permitted", {
    what: `${what} over this port.`,
    why: "The side that serves it lets others only read.",
    fix: `Pass { ${option}: true } to servePort if the other side may.`,
  });
}
