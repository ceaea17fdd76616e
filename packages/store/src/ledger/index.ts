// `@spanloom/store/ledger`: what an adapter for a store that cannot merge and count itself is made of. It writes a `Backing`
// that keeps rows, and `createBackedStore` makes a store of it. See docs/guides/add-store-adapter.md.
export { listPage } from "../list-query.ts";
export type { RetentionOptions } from "../retention.ts";
export { statsOf, summaryOf } from "./answers.ts";
export { type BackedStoreOptions, createBackedStore } from "./backed-store.ts";
export type { Backing, PlacedRef } from "./backing.ts";
export { analyticsOf, dailyCostsOf } from "./cell-answers.ts";
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
export type { SpanFacts } from "./facts.ts";
export type { HeldExecution } from "./held-execution.ts";
export type { Ledger } from "./ledger.ts";
