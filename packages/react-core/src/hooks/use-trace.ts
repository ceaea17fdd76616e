import { useCallback, useMemo, useSyncExternalStore } from "react";
import { useObservability } from "../context.ts";
import { emptySnapshot, type TraceSnapshot } from "../feed/trace-feed.ts";

export interface TraceState extends Omit<TraceSnapshot, "status"> {
  status: TraceSnapshot["status"] | "idle";
  retry(): void;
}

/**
 * The trace of an execution, loaded page by page and followed while it runs. Another `executionId` gives another state
 * in the same render: an answer to an earlier one is never shown. `undefined` is idle.
 */
export function useTrace(executionId: string | undefined): TraceState {
  const { feedOf } = useObservability();
  const feed = useMemo(
    () => (executionId === undefined ? undefined : feedOf(executionId)),
    [feedOf, executionId],
  );
  const subscribe = useCallback((listener: () => void) => feed?.subscribe(listener) ?? noop, [feed]);
  const read = useCallback(() => feed?.getSnapshot() ?? idle, [feed]);
  const snapshot = useSyncExternalStore(subscribe, read, serverSnapshot);
  return useMemo(
    () => ({
      ...snapshot,
      status: feed === undefined ? "idle" : snapshot.status,
      retry: () => feed?.retry(),
    }),
    [snapshot, feed],
  );
}

const idle: TraceSnapshot = emptySnapshot();
const noop = (): void => undefined;
const serverSnapshot = (): TraceSnapshot => idle;
