import { randomBytes } from "node:crypto";
import type { PruneReport, PruneRequest, ScopedStore, TraceStore } from "@spanloom/model";
import { checkScope, storeClosed } from "../check-arguments.ts";
import { keepRetention, type Retention } from "../retention.ts";
import { toStoreError } from "./postgres/errors.ts";
import { createOpening, type Opened, type Opening, type PostgresStoreOptions } from "./postgres/opening.ts";
import { checkPrune, scopesToPrune } from "./postgres/prune.ts";
import { createSpanReader, type SpanReader } from "./postgres/read-spans.ts";
import { CAPABILITIES, PostgresScope } from "./postgres/scope.ts";
import { ScopeWriter } from "./postgres/scope-writer.ts";
import { createWatching, type Watching } from "./postgres/watching.ts";

export type { PostgresClient, PostgresPool, PostgresQuery, SqlValue } from "./postgres/client.ts";
export type { PostgresStoreOptions } from "./postgres/opening.ts";
export { type PostgresMigration, postgresMigrations } from "./postgres/schema.ts";

/**
 * Keeps traces in PostgreSQL (14 or newer): the store for several machines. The tables are made by the first call. Sums are kept
 * exact with every write, so that lists and charts read only what they show; writes of one scope go one after the other,
 * whichever process they come from, and those of different scopes side by side.
 *
 * Calls reject with `store_full`, `store_failed`, `timed_out`, `schema_mismatch`, `missing_dependency` or `store_closed`; then
 * nothing of a write is stored, or, where the connection broke while it was committed, it may be repeated. Throws
 * `invalid_argument` for options that cannot be used.
 */
export function createPostgresStore(options: PostgresStoreOptions): TraceStore {
  const store = new PostgresStore(options);
  return {
    name: "postgres",
    capabilities: CAPABILITIES,
    forScope: (scope) => store.forScope(scope),
    prune: (request) => store.prune(request),
    close: () => store.close(),
  };
}

class PostgresStore {
  private readonly opening: Opening;
  private readonly options: PostgresStoreOptions;
  /** Tells this store's commits from those of others. */
  private readonly origin: string = randomBytes(8).toString("hex");
  private readonly scopes = new Map<string, PostgresScope>();
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly watching: Watching;
  private readonly spans: SpanReader;
  /** Scopes that were written lately, the latest last: they hold what they wrote. */
  private readonly written = new Set<ScopeWriter>();
  private retention: Retention | undefined;
  private closed: Promise<void> | undefined;

  constructor(options: PostgresStoreOptions) {
    this.options = options;
    this.opening = createOpening(options);
    this.spans = createSpanReader(this.opening.sqlSchema);
    this.watching = createWatching(this.opening, options.notify === false ? undefined : this.origin);
  }

  forScope(scope: string): ScopedStore {
    if (this.closed !== undefined) throw storeClosed("postgres");
    const name = checkScope(scope);
    let scoped = this.scopes.get(name);
    if (scoped === undefined) {
      const { schema, sqlSchema } = this.opening;
      const origin = this.options.notify === false ? undefined : this.origin;
      const writer = new ScopeWriter({ scope: name, schema, sqlSchema, origin });
      scoped = new PostgresScope(name, {
        ...{ writer, schema: sqlSchema, watching: this.watching, spans: this.spans },
        call: (work) => this.call(work),
        onWrite: () => this.noteWrite(writer),
      });
      this.scopes.set(name, scoped);
    }
    return scoped;
  }

  async prune(request: PruneRequest): Promise<PruneReport> {
    const checked = checkPrune(request);
    const scopes = await this.call(({ db }) =>
      db.write(undefined, (session) => scopesToPrune(session, this.opening.sqlSchema, checked)),
    );
    const report: PruneReport = { executions: 0, spans: 0, more: false };
    for (const scope of scopes) {
      const limit = checked.limit - report.executions;
      if (limit <= 0) return { ...report, more: true };
      const step = await (this.forScope(scope) as PostgresScope).pruneStep({ ...checked, limit });
      report.executions += step.executions;
      report.spans += step.spans;
      if (step.more) return { ...report, more: true };
    }
    return report;
  }

  /** Runs a call of the open store; `close` waits for it. */
  call<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    if (this.closed !== undefined) return Promise.reject(storeClosed("postgres"));
    const run = async (): Promise<T> => {
      const opened = await this.opening.open().catch((error: unknown) => {
        throw toStoreError(error);
      });
      this.keepRetention();
      return work(opened);
    };
    const result = run();
    const done = result.then(
      () => {},
      () => {},
    );
    this.underWay.add(done);
    void done.then(() => this.underWay.delete(done));
    return result;
  }

  close(): Promise<void> {
    this.closed ??= this.end();
    return this.closed;
  }

  private async end(): Promise<void> {
    this.watching.stop();
    await Promise.all([this.retention?.stop(), ...this.underWay]);
    await this.opening.end();
  }

  /** Whoever has many tenants does not hold the executions of all of them. */
  private noteWrite(writer: ScopeWriter): void {
    this.written.delete(writer);
    this.written.add(writer);
    if (this.written.size <= MOST_HELD_SCOPES) return;
    for (const oldest of this.written) {
      this.written.delete(oldest);
      oldest.release();
      return;
    }
  }

  private keepRetention(): void {
    if (this.closed !== undefined) return;
    const { retention, onProblem } = this.options;
    this.retention ??= keepRetention({
      prune: (request) => this.prune(request),
      retention,
      ...(onProblem !== undefined && { onProblem }),
    });
  }
}

/** Scopes whose latest executions are held in memory. */
const MOST_HELD_SCOPES = 32;
