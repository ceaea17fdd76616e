import {
  type ScopedStore,
  SpanloomError,
  type SpanRecord,
  type StoreCapabilities,
  type TraceChanges,
  type WriteReceipt,
} from "@spanloom/model";
import { checkRecords } from "../check-arguments.ts";
import type { PortLike } from "../port/channel.ts";
import { followOverPort } from "../port/follow-over-port.ts";
import type { PortMethod } from "../port/messages.ts";
import { createPortClient } from "../port/port-client.ts";
import { redactThrough } from "../redact-through.ts";

export type { EmitterPort, EventTargetPort, PortLike } from "../port/channel.ts";
export { type ServedPort, type ServePortOptions, servePort } from "../port/serve-port.ts";
export type { ServedStore } from "../port/served-methods.ts";

export interface PortStoreOptions {
  /** How long a read or a write may take: 30,000 where absent. Administration takes the time it needs. */
  timeoutMs?: number;
  /** The name of the scope, for the caller's own use: which one is read is the serving side's to say. `remote` where absent. */
  scope?: string;
  /** What the store at the other side can do, where the caller knows it; the least where absent. */
  capabilities?: StoreCapabilities;
}

/** What {@link createPortStore} gives. */
export interface PortStore extends ScopedStore {
  watch: NonNullable<ScopedStore["watch"]>;
  follow: NonNullable<ScopedStore["follow"]>;
  /** Ends calls under way with `store_closed`, and lets go of the port, which stays open: it is the host's. */
  close(): void;
}

const LEAST: StoreCapabilities = {
  durability: "memory",
  concurrentWriters: true,
  crossProcessReads: true,
  erasure: "eventual",
  provenSpansPerExecution: 0,
};

/**
 * A store at the other end of a MessagePort, where {@link servePort} serves it: for windows of Electron, workers, and
 * pages that talk to a worker. Runs wherever there are such ports, with no import of Node.js.
 *
 * Errors come as they were thrown there. What the serving side does not allow is `not_permitted`, a closed port
 * `network_failed`, silence `timed_out`.
 */
export function createPortStore(port: PortLike, options: PortStoreOptions = {}): PortStore {
  const { timeoutMs = 30_000, scope = "remote", capabilities = LEAST } = options;
  const client = createPortClient(port);

  async function ask<T>(method: PortMethod, args: unknown[], patienceMs?: number): Promise<T> {
    try {
      return await client.call<T>(method, args, patienceMs);
    } catch (error) {
      throw isCloneError(error) ? notCopied(method) : error;
    }
  }
  const read =
    <Args extends unknown[], T>(method: PortMethod) =>
    (...args: Args): Promise<T> =>
      ask<T>(method, args, timeoutMs);

  const store: PortStore = {
    scope,
    capabilities,
    listExecutions: read("listExecutions"),
    getExecutions: read("getExecutions"),
    getExecution: read("getExecution"),
    getTrace: read("getTrace") as ScopedStore["getTrace"],
    getSpan: read("getSpan"),
    changesSince: read("changesSince"),
    searchSpans: read("searchSpans"),
    getRunMetrics: read("getRunMetrics"),
    getDailyCosts: read("getDailyCosts"),
    getAnalytics: read("getAnalytics"),
    write: async (spans) => write(checkRecords(spans)),
    deleteExecution: (executionId) => ask("deleteExecution", [executionId]),
    prune: (request) => ask("prune", [request]),
    recompute: () => ask("recompute", []),
    redact: (rule, selection) =>
      redactThrough(store, (redacted) => ask("redactSpans", [redacted]), rule, selection),
    watch: (executionId, wake) =>
      client.stream("watch", [executionId], {
        part(_, taken) {
          taken();
          quietly(wake);
        },
        // A watch is only a faster reason to ask: whoever asks learns what became of the port.
        end: () => {},
      }),
    follow: (executionId: string, seq: number, signal: AbortSignal): AsyncIterable<TraceChanges> =>
      followOverPort(client, executionId, seq, signal),
    close: () => client.close(),
  };
  return store;

  /** What cannot even be copied goes over as nothing, to be rejected there in its place. */
  async function write(spans: readonly unknown[]): Promise<WriteReceipt> {
    try {
      return await client.call("write", [spans], timeoutMs);
    } catch (error) {
      if (!isCloneError(error)) throw error;
      return client.call("write", [spans.map((span) => (canCopy(span) ? span : undefined))], timeoutMs);
    }
  }
}

function quietly(wake: () => void): void {
  try {
    wake();
  } catch {
    // A watcher's failure is its own.
  }
}

function isCloneError(error: unknown): boolean {
  return error instanceof Error && error.name === "DataCloneError";
}

function canCopy(span: unknown): span is SpanRecord {
  try {
    structuredClone(span);
    return true;
  } catch {
    return false;
  }
}

function notCopied(method: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: `An argument of ${method} cannot go over a port.`,
    why: "It holds something that is no data, such as a function.",
    fix: "Pass plain values.",
  });
}
