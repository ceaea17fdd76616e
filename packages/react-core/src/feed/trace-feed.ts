import {
  type ExecutionSummary,
  isSpanloomError,
  isTerminal,
  type SpanSkeleton,
  spanKey,
  type TraceChanges,
  type TraceReader,
} from "@spanloom/model";
import { type Alarm, createAlarm } from "./alarm.ts";

/** What a trace feed knows at one moment. A new object for every change; `spans` is a new array only when spans changed. */
export interface TraceSnapshot {
  status: "loading" | "ready" | "not-found" | "not-permitted" | "error";
  execution?: ExecutionSummary;
  spans: readonly SpanSkeleton[];
  /** All spans of the execution, also those not loaded yet. */
  spanCount: number;
  /** Every page has been loaded. */
  complete: boolean;
  /** `live`: changes are followed; `reconnecting`: they could not be read just now; `ended`: nothing more is expected. */
  live: "live" | "reconnecting" | "ended";
  /** When the reader last answered, in milliseconds since the epoch. */
  lastSyncedAt?: number;
  error?: Error;
}

/** One execution's trace, loaded page by page and followed while anyone listens. */
export interface TraceFeed {
  getSnapshot(): TraceSnapshot;
  /** Starts with the first listener and stops with the last. */
  subscribe(listener: () => void): () => void;
  retry(): void;
}

/** Waits between looks, in milliseconds. */
const POLL_MS = 1_000;
const ENDED_POLL_MS = 15_000;
const MISSING_POLL_MS = 2_000;
const RETRY_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** Changes that come faster are shown together. */
const PUBLISH_MS = 80;

/** Follows one execution of one reader. Framework-free: the hook only subscribes. */
export function createTraceFeed(reader: TraceReader, executionId: string): TraceFeed {
  const listeners = new Set<() => void>();
  const spans = new Map<string, SpanSkeleton>();
  let snapshot: TraceSnapshot = emptySnapshot();
  let pending: Partial<TraceSnapshot> | undefined;
  let spansChanged = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  /** The commit up to which `spans` is whole; absent until every page has been read. */
  let seq: number | undefined;

  return {
    getSnapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      if (listeners.size === 1) start();
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    retry() {
      stop();
      seq = undefined;
      if (snapshot.status !== "ready") publish({ status: "loading", error: undefined });
      if (listeners.size > 0) start();
    },
  };

  function start(): void {
    const controller = new AbortController();
    running = controller;
    void run(controller.signal);
  }

  function stop(): void {
    running?.abort();
    running = undefined;
    flush();
  }

  async function run(signal: AbortSignal): Promise<void> {
    const alarm = createAlarm(signal);
    // Heard all the time, so that no commit falls between an answer and the next wait.
    const unwatch = reader.watch?.(executionId, alarm.ring);
    signal.addEventListener("abort", () => unwatch?.(), { once: true });
    // What came while nobody listened is looked for at once.
    if (seq !== undefined) alarm.ring();
    for (let failures = 0; !signal.aborted; ) {
      try {
        if (seq === undefined) {
          await load(signal);
          if (signal.aborted) return;
          failures = 0;
        }
        if (seq === undefined) await alarm.sleep(MISSING_POLL_MS);
        else await follow(signal, alarm, () => (failures = 0));
      } catch (error) {
        if (signal.aborted) return;
        if (isDenied(error)) {
          seq = undefined;
          clear({ status: "not-permitted", error: asError(error) });
          unwatch?.();
          return;
        }
        const wait = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] as number;
        if (snapshot.status === "ready") publish({ live: "reconnecting", error: asError(error) });
        else if (failures > 2) publish({ status: "error", error: asError(error) });
        await pause(wait, signal);
        alarm.ring();
      }
    }
  }

  /**
   * Reads all pages of one commit and sets `seq` to it, unless the execution is not there. A run that was stopped may be
   * answered late: it must not move what another has begun since.
   */
  async function load(signal: AbortSignal): Promise<void> {
    const fresh = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await reader.getTrace(executionId, cursor === undefined ? {} : { cursor });
      if (signal.aborted) return;
      if (page === undefined) {
        clear({ status: "not-found", error: undefined, lastSyncedAt: Date.now() });
        return;
      }
      for (const span of page.spans) {
        const key = spanKey(span);
        fresh.add(key);
        spans.set(key, span);
      }
      spansChanged = true;
      cursor = page.nextCursor;
      if (cursor === undefined) {
        for (const key of spans.keys()) if (!fresh.has(key)) spans.delete(key);
        seq = page.asOfSeq;
      }
      publish({
        status: "ready",
        execution: page.execution,
        spanCount: page.spanCount,
        complete: cursor === undefined,
        live: isTerminal(page.execution.status) ? "ended" : "live",
        lastSyncedAt: Date.now(),
        error: undefined,
      });
    } while (cursor !== undefined);
  }

  /** Keeps up with the execution from `seq` on, until it is gone. */
  async function follow(signal: AbortSignal, alarm: Alarm, onAnswer: () => void): Promise<void> {
    while (!signal.aborted && seq !== undefined) {
      if (reader.follow !== undefined && snapshotNow().live !== "ended") {
        for await (const changes of reader.follow(executionId, seq, signal)) {
          if (signal.aborted) return;
          apply(changes);
          onAnswer();
        }
        if (!signal.aborted) publish({ live: "ended", lastSyncedAt: Date.now() });
      }
      await alarm.sleep(snapshotNow().live === "ended" ? ENDED_POLL_MS : POLL_MS);
      for (let more = true; more; ) {
        if (signal.aborted) return;
        const changes = await reader.changesSince(executionId, seq);
        if (signal.aborted) return;
        onAnswer();
        if (changes === undefined) {
          seq = undefined; // deleted meanwhile: look again from the start
          return;
        }
        apply(changes);
        // When the last span went away, the next answer tells whether the execution did.
        more = changes.more || (changes.removed.length > 0 && spans.size === 0);
      }
    }
  }

  function apply(changes: TraceChanges): void {
    for (const gone of changes.removed) spansChanged = spans.delete(spanKey(gone)) || spansChanged;
    for (const span of changes.spans) spans.set(spanKey(span), span);
    if (changes.spans.length > 0) spansChanged = true;
    seq = changes.seq;
    publish({
      execution: changes.execution,
      spanCount: changes.execution.spanCount,
      live: isTerminal(changes.execution.status) && !changes.more ? "ended" : "live",
      lastSyncedAt: Date.now(),
      error: undefined,
    });
  }

  /** Nothing of the execution is to be seen any more. */
  function clear(change: Partial<TraceSnapshot>): void {
    spans.clear();
    spansChanged = true;
    publish({ execution: undefined, spanCount: 0, complete: false, ...change });
  }

  function publish(change: Partial<TraceSnapshot>): void {
    pending = { ...pending, ...change };
    if (change.status !== undefined && change.status !== snapshot.status) flush();
    else timer ??= setTimeout(flush, PUBLISH_MS);
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (pending === undefined) return;
    snapshot = { ...snapshot, ...pending, ...(spansChanged && { spans: [...spans.values()] }) };
    pending = undefined;
    spansChanged = false;
    for (const listener of [...listeners]) listener();
  }

  function snapshotNow(): TraceSnapshot {
    return { ...snapshot, ...pending };
  }
}

export function emptySnapshot(): TraceSnapshot {
  return { status: "loading", spans: [], spanCount: 0, complete: false, live: "live" };
}

/** True for errors that say the caller may not see this: trying again would not help. */
export function isDenied(error: unknown): boolean {
  return isSpanloomError(error) && (error.code === "not_permitted" || error.code === "unauthenticated");
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return createAlarm(signal).sleep(ms);
}
