import {
  type DailyCosts,
  type DailyCostsQuery,
  type ExecutionDetail,
  type ExecutionSummary,
  isTerminal,
  type ListExecutionsQuery,
  type Page,
  type PanelConfig,
  type RunMetrics,
  type SpanRecord,
  type SpanSkeleton,
} from "@spanloom/model";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useObservability } from "../context.ts";
import { type QueryState, queryState } from "./query-state.ts";

/** How often lists and charts look again while they are shown, in milliseconds. */
const LIST_REFRESH_MS = 5_000;
const RUNNING_REFRESH_MS = 1_000;
const CHART_REFRESH_MS = 10_000;

/** One span with its content. It is read again when its revision or end changes. */
export function useSpan(
  executionId: string | undefined,
  span: Pick<SpanSkeleton, "traceId" | "spanId" | "revision" | "endTime"> | undefined,
): QueryState<SpanRecord> {
  const { reader, queryClient } = useObservability();
  const enabled = executionId !== undefined && span !== undefined;
  const result = useQuery(
    {
      queryKey: ["span", executionId, span?.traceId, span?.spanId, span?.revision, span?.endTime ?? null],
      queryFn: async () =>
        enabled ? ((await reader.getSpan(executionId, span.spanId, span.traceId)) ?? null) : null,
      enabled,
      staleTime: span?.endTime === undefined ? 1_000 : 60_000,
    },
    queryClient,
  );
  return queryState<SpanRecord>(result, enabled);
}

/** The summary of an execution with its per-node breakdown. */
export function useExecution(executionId: string | undefined): QueryState<ExecutionDetail> {
  const { reader, queryClient } = useObservability();
  const enabled = executionId !== undefined;
  const result = useQuery(
    {
      queryKey: ["execution", executionId],
      queryFn: async () => (enabled ? ((await reader.getExecution(executionId)) ?? null) : null),
      enabled,
      refetchInterval: ({ state }) =>
        state.data && !isTerminal(state.data.status) ? RUNNING_REFRESH_MS : LIST_REFRESH_MS * 6,
    },
    queryClient,
  );
  return queryState<ExecutionDetail>(result, enabled);
}

/** One page of executions. While another page or order loads, the one before stays, with `outdated` set. */
export function useExecutions(query: ListExecutionsQuery): QueryState<Page<ExecutionSummary>> {
  const { reader, queryClient } = useObservability();
  const result = useQuery<Page<ExecutionSummary> | null>(
    {
      queryKey: ["executions", query],
      queryFn: () => reader.listExecutions(query),
      placeholderData: keepPreviousData,
      refetchInterval: LIST_REFRESH_MS,
    },
    queryClient,
  );
  return queryState<Page<ExecutionSummary>>(result, true);
}

export function useDailyCosts(query: DailyCostsQuery): QueryState<DailyCosts> {
  const { reader, queryClient } = useObservability();
  const result = useQuery<DailyCosts | null>(
    {
      queryKey: ["daily-costs", query],
      queryFn: () => reader.getDailyCosts(query),
      refetchInterval: CHART_REFRESH_MS,
    },
    queryClient,
  );
  return queryState<DailyCosts>(result, true);
}

/** Tokens, latency and cache of a run by stage; read again each second while it runs. */
export function useRunMetrics(executionId: string | undefined): QueryState<RunMetrics> {
  const { reader, queryClient } = useObservability();
  const enabled = executionId !== undefined;
  const result = useQuery(
    {
      queryKey: ["run-metrics", executionId],
      queryFn: async () => (enabled ? ((await reader.getRunMetrics(executionId)) ?? null) : null),
      enabled,
      refetchInterval: ({ state }) =>
        state.data && isTerminal(state.data.status) ? LIST_REFRESH_MS * 6 : RUNNING_REFRESH_MS,
    },
    queryClient,
  );
  return queryState<RunMetrics>(result, enabled);
}

/** Link templates and permissions of the caller; a reader without a server before it has none. */
export function usePanelConfig(): QueryState<PanelConfig> {
  const { reader, queryClient } = useObservability();
  const enabled = reader.getConfig !== undefined;
  const result = useQuery<PanelConfig | null>(
    {
      queryKey: ["config"],
      queryFn: async () => (await reader.getConfig?.()) ?? null,
      enabled,
      staleTime: 60_000,
    },
    queryClient,
  );
  return queryState<PanelConfig>(result, enabled);
}
