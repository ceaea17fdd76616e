// The engine that stores stand on which do not merge and count in SQL: a ledger of active executions in memory, and what a
// backing must load and save. See `ledger.ts` for the calls, `changes.ts` for the rows.
export { type Admitted, type AdmittedRecord, admit } from "./admit.ts";
export { detailOf, runMetricsOfExecution, statsOf, summaryOf } from "./answers.ts";
export { type BackedStoreOptions, createBackedStore } from "./backed-store.ts";
export type { Backing, PlacedRef } from "./backing.ts";
export { AnalyticsCells, cellsOf, UsageCells } from "./cells.ts";
export type {
  AnalyticsCell,
  ChangedExecution,
  ChangedSpan,
  ExecutionCell,
  GoneSpan,
  LedgerChanges,
  Missing,
  SpanRef,
  StoredExecution,
  StoredPart,
  StoredSpan,
  StoredTrace,
  UsageCell,
} from "./changes.ts";
export { factsOf, type SpanFacts } from "./facts.ts";
export type { FeedEntry } from "./feed.ts";
export type { HeldExecution } from "./held-execution.ts";
export { Ledger, type LedgerOptions, type StoredRecords } from "./ledger.ts";
export { type LoadPart, loadComponents } from "./load-components.ts";
export { PageDraft, type Sized, type SpanPage, TracePages } from "./pages.ts";
