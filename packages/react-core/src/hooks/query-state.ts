import type { UseQueryResult } from "@tanstack/react-query";
import { asError, isDenied } from "../feed/trace-feed.ts";

/** What a hook that reads once and refreshes gives. `data` answers the question asked now, unless `outdated` is set. */
export interface QueryState<T> {
  status: "idle" | "loading" | "ready" | "not-found" | "not-permitted" | "error";
  data?: T;
  error?: Error;
  /** When the shown answer came, in milliseconds since the epoch. */
  lastSyncedAt?: number;
  /** A newer answer is on its way. */
  refreshing: boolean;
  /** `data` still answers the question before: shown in its place until the answer to this one is here. */
  outdated?: true;
  retry(): void;
}

/** `null` stands for "not there": a query may not answer `undefined`. */
export function queryState<T>(result: UseQueryResult<T | null>, enabled: boolean): QueryState<T> {
  const { data, error, dataUpdatedAt } = result;
  const base = { refreshing: result.isFetching, retry: () => void result.refetch() };
  if (!enabled) return { ...base, status: "idle" };
  // A refused refresh takes away what was permitted before; any other failure leaves it and says so.
  if (isDenied(error)) return { ...base, status: "not-permitted", error: asError(error) };
  const problem = error === null ? {} : { error: asError(error) };
  if (data === undefined) return { ...base, ...problem, status: error === null ? "loading" : "error" };
  if (data === null) return { ...base, ...problem, status: "not-found", lastSyncedAt: dataUpdatedAt };
  if (result.isPlaceholderData) return { ...base, ...problem, status: "ready", data, outdated: true };
  return { ...base, ...problem, status: "ready", data, lastSyncedAt: dataUpdatedAt };
}
