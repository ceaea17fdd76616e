// Provider and hooks
export { type Observability, type Theme, useObservability } from "./context.ts";
// Shared parts of panels
export { CorrelationChip, type CorrelationChipProps } from "./correlation-chip/CorrelationChip.tsx";
export { EnvProvenance, type EnvProvenanceProps } from "./env-provenance/EnvProvenance.tsx";
// Following a trace without React
export { createTraceFeed, type TraceFeed, type TraceSnapshot } from "./feed/trace-feed.ts";
// Texts and formats
export { fillLink } from "./format/fill-link.ts";
export { createFormat, type Format } from "./format/format.ts";
export { useFormat } from "./format/use-format.ts";
export {
  useDailyCosts,
  useExecution,
  useExecutions,
  usePanelConfig,
  useRunMetrics,
  useSpan,
} from "./hooks/queries.ts";
export type { QueryState } from "./hooks/query-state.ts";
export { type CopyState, useCopy } from "./hooks/use-copy.ts";
export { useNow } from "./hooks/use-now.ts";
export { type TraceState, useTrace } from "./hooks/use-trace.ts";
export { LastSyncedBadge, type LastSyncedBadgeProps } from "./last-synced-badge/LastSyncedBadge.tsx";
export { coreMessages } from "./messages/core-messages.ts";
export {
  type Catalogue,
  createTranslate,
  type MessageKey,
  type MessageParams,
  type Translate,
  useMessages,
} from "./messages/messages.ts";
export { ObservabilityProvider, type ObservabilityProviderProps } from "./ObservabilityProvider.tsx";
export { EmptyState, ErrorState, NotPermittedState, PartialNotice, SkeletonRows } from "./states/states.tsx";
export { KindIcon, kindColor } from "./theme/KindIcon.tsx";
export { PanelRoot, type PanelRootProps } from "./theme/PanelRoot.tsx";
export { StatusMark } from "./theme/StatusMark.tsx";
