// The store for tests, demos and short-lived tools. Others have their own entries: `@spanloom/store/sqlite` keeps a
// file, `@spanloom/store/http` reads through a server, `@spanloom/store/testing` holds an adapter to the contract.
export { createMemoryStore } from "./adapters/memory.ts";
// Around any store: large payloads outside of it.
export { type BlobKeepingStore, type KeepBlobsOptions, keepBlobs } from "./blobs/keep-blobs.ts";
export type { SweepReport } from "./blobs/sweep-scope.ts";
// From any store to any other.
export {
  type MigrateOptions,
  type MigrationProgress,
  type MigrationSource,
  type MigrationTarget,
  migrate,
} from "./migrate/migrate.ts";
export type {
  DifferingDay,
  MigrationProblem,
  MigrationReport,
  MigrationState,
} from "./migrate/migration-report.ts";
// Around any store: counts of what it is asked.
export type {
  MeterLike,
  MethodStats,
  ObserveOptions,
  StoreCall,
  StoreMethod,
  StoreStats,
} from "./observe/call-meter.ts";
export { type ObservedStore, observeStore } from "./observe/observe-store.ts";
export type { RetentionOptions } from "./retention.ts";
