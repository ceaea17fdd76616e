import type { ExecutionSummary, WriteReceipt } from "@spanloom/model";
import type { Admitted } from "../../ledger/admit.ts";
import type { LedgerChanges, Missing } from "../../ledger/changes.ts";
import { Ledger } from "../../ledger/ledger.ts";
import type { Database, Session } from "./database.ts";
import { ExecutionNumbers, tracesOf } from "./execution-numbers.ts";
import { noticeOf } from "./listener.ts";
import { loadPart, loadRecords } from "./load.ts";
import { channelOf, lockOf } from "./locks.ts";
import type { Names } from "./names.ts";
import { saveChanges } from "./save.ts";

/** What a commit did. */
export interface Committed<T> {
  result: T;
  /** Executions that are not as they were. */
  changed: string[];
}

export interface ScopeWriterOptions {
  scope: string;
  /** The schema's name as it is, and as SQL. */
  schema: string;
  sqlSchema: string;
  /** Who tells others of a commit; nobody where absent. */
  origin: string | undefined;
}

/** A scope inside a write that has it to itself, its ledger as new as the database. */
export interface OpenScope {
  session: Session;
  names: Names;
  scopeNo: number;
  ledger: Ledger;
  /** Unix seconds: sums of before are dropped, and come back by nothing. */
  sumsFrom: number;
  /** Brings executions and traces into the ledger, with all that is connected with them. */
  load(ids: Missing): Promise<void>;
  /** The number of this commit, for whoever saves by other ways. */
  commitVersion(): Promise<number>;
  /** Saves what the ledger changed. */
  save(changes: LedgerChanges): Promise<void>;
  /** Lets every process read everything anew: something was changed that no execution tells of. */
  unsettle(): Promise<void>;
}

/** What of the database the ledger knows. */
interface Seen {
  version: number;
  epoch: number;
}

/** More executions that others changed since are not looked at one by one. */
const MOST_FOREIGN = 2_000;

/**
 * Writes of one scope. Everywhere in the world there is one at a time, by an advisory lock; in this process they wait for each
 * other before, so that they hold no connections. What the ledger holds stays true as long as nobody else commits; what others
 * changed is found by the versions of executions, and read again.
 */
export class ScopeWriter {
  private readonly options: ScopeWriterOptions;
  private ledger = new Ledger();
  private seen: Seen | undefined;
  private readonly numbers: ExecutionNumbers;
  private last: Promise<unknown> = Promise.resolve();

  constructor(options: ScopeWriterOptions) {
    this.options = options;
    this.numbers = new ExecutionNumbers(options.sqlSchema);
  }

  async write(db: Database, names: Names, admitted: Admitted): Promise<Committed<WriteReceipt>> {
    const records = admitted.records.map(({ record }) => record);
    if (records.length === 0) {
      return { result: { written: 0, unchanged: 0, rejected: admitted.rejected }, changed: [] };
    }
    const committed = await this.commit(db, names, true, async (scope) => {
      await scope.load(scope.ledger.missing(records));
      const { session, scopeNo, ledger } = scope;
      const stored = await loadRecords(session, this.options.sqlSchema, scopeNo, ledger.ties(records));
      const { receipt, changes } = ledger.apply(admitted, (key) => stored.get(key));
      await scope.save(changes);
      return receipt;
    });
    return committed as Committed<WriteReceipt>;
  }

  /** Does something to the scope in one transaction. `undefined` where the scope is not there and is not to be made. */
  async commit<T>(
    db: Database,
    names: Names,
    make: boolean,
    work: (scope: OpenScope) => Promise<T>,
  ): Promise<Committed<T> | undefined> {
    const before = this.last;
    const run = async (): Promise<Committed<T> | undefined> => {
      await before.catch(() => {});
      return this.commitNow(db, names, make, work);
    };
    const result = run();
    this.last = result.catch(() => {});
    return result;
  }

  /** Lets go of what is held in memory, after what is under way: the next write reads what it needs. */
  release(): void {
    this.last = this.last.then(() => this.reset());
  }

  private async commitNow<T>(
    db: Database,
    names: Names,
    make: boolean,
    work: (scope: OpenScope) => Promise<T>,
  ): Promise<Committed<T> | undefined> {
    const { schema, scope } = this.options;
    /** What is to be done once the transaction is committed. */
    let after: (() => void)[] | undefined;
    try {
      const committed = await db.write(lockOf(schema, scope), async (session) => {
        // What a failed try has left in the ledger is not in the database.
        if (after !== undefined) this.reset();
        after = [];
        const scopeNo = make ? await names.scope(session, scope) : await names.findScope(session, scope);
        if (scopeNo === undefined) return undefined;
        const saved = new Set<string>();
        const open = await this.open(session, names, scopeNo, saved, after);
        const result = await work(open);
        return { result, changed: [...saved] };
      });
      for (const settle of after ?? []) settle();
      return committed;
    } catch (error) {
      this.reset();
      throw error;
    }
  }

  private async open(
    session: Session,
    names: Names,
    scopeNo: number,
    saved: Set<string>,
    after: (() => void)[],
  ): Promise<OpenScope> {
    const { sqlSchema, schema, scope, origin } = this.options;
    const [row] = await session.rows(
      `SELECT version::float8, epoch::float8, watermark::text, sums_from::float8 FROM ${sqlSchema}.scope WHERE scope_no = $1`,
      scopeNo,
    );
    const [version, epoch, watermark, sumsFrom] = row as [number, number, string, number];
    await this.catchUp(session, scopeNo, { version, epoch });
    const { ledger } = this;
    ledger.watermark = watermark === "0" ? undefined : watermark;
    let next: Seen = { version, epoch };
    const absent = new Set<string>();
    after.push(() => {
      this.seen = next;
    });
    const commitVersion = async (): Promise<number> => {
      if (next.version > version) return next.version;
      next = { ...next, version: version + 1 };
      await session.rows(
        `UPDATE ${sqlSchema}.scope SET version = $2 WHERE scope_no = $1`,
        scopeNo,
        next.version,
      );
      return next.version;
    };
    return {
      session,
      names,
      scopeNo,
      ledger,
      sumsFrom,
      commitVersion,
      load: async (ids) => {
        if (ids.traceIds.length === 0 && ids.executionIds.length === 0) return;
        const { covered, part, numbers } = await loadPart(session, sqlSchema, scopeNo, ids);
        ledger.load(covered, part);
        for (const id of covered.executionIds) {
          const number = numbers.get(id);
          if (number === undefined) absent.add(id);
          else this.numbers.note(id, number);
        }
      },
      save: async (changes) => {
        if (isNothing(changes)) return;
        const ofCommit = await commitVersion();
        const numbers = await this.numbers.of(session, scopeNo, changes, absent);
        const traces = new Map<string, string>();
        const tracesChanged = (summary: ExecutionSummary): boolean => {
          const now = tracesOf(summary);
          traces.set(summary.executionId, now);
          return this.numbers.tracesDiffer(summary.executionId, now);
        };
        const made = await saveChanges(
          {
            session,
            schema: sqlSchema,
            names,
            scopeNo,
            version: ofCommit,
            sumsFrom,
            numberOf: (id) => numbers.get(id) as number,
            tracesChanged,
          },
          changes,
        );
        for (const { executionId } of changes.executions) saved.add(executionId);
        for (const executionId of changes.forgotten) saved.add(executionId);
        after.push(() => {
          names.remember(scopeNo, made);
          this.numbers.settle(numbers, traces, changes.forgotten);
        });
        if (origin === undefined || saved.size === 0) return;
        const payload = noticeOf(origin, { scope, executionIds: [...saved] });
        await session.rows("SELECT pg_notify($1, $2)", channelOf(schema), payload);
      },
      unsettle: async () => {
        await commitVersion();
        next = { ...next, epoch: epoch + 1 };
        await session.rows(
          `UPDATE ${sqlSchema}.scope SET epoch = $2 WHERE scope_no = $1`,
          scopeNo,
          next.epoch,
        );
        after.push(() => this.forgetAll());
      },
    };
  }

  /** Lets go of what others changed since this process saw the scope last. */
  private async catchUp(session: Session, scopeNo: number, now: Seen): Promise<void> {
    const { seen } = this;
    if (seen?.version === now.version && seen.epoch === now.epoch) return;
    if (seen === undefined || seen.epoch !== now.epoch || seen.version > now.version) {
      this.forgetAll();
      return;
    }
    const { sqlSchema } = this.options;
    const changed = (await session.rows(
      `SELECT summary::text FROM ${sqlSchema}.execution WHERE scope_no = $1 AND version > $2 LIMIT ${MOST_FOREIGN}`,
      scopeNo,
      seen.version,
    )) as [string][];
    if (changed.length === MOST_FOREIGN) {
      this.forgetAll();
      return;
    }
    const refused = (await session.rows(
      `SELECT trace_id::text FROM ${sqlSchema}.trace_refused WHERE scope_no = $1 AND version > $2`,
      scopeNo,
      seen.version,
    )) as [string][];
    const summaries = changed.map(([text]) => JSON.parse(text) as ExecutionSummary);
    this.ledger.forget({
      executionIds: summaries.map(({ executionId }) => executionId),
      traceIds: [
        ...summaries.flatMap(({ traceIds }) => traceIds),
        ...refused.map(([traceId]) => traceId.replaceAll("-", "")),
      ],
    });
  }

  private reset(): void {
    this.forgetAll();
    this.seen = undefined;
  }

  private forgetAll(): void {
    this.ledger = new Ledger();
    this.numbers.clear();
  }
}

function isNothing(changes: LedgerChanges): boolean {
  const { spans, removed, executions, forgotten, traces } = changes;
  return [spans, removed, executions, forgotten, traces].every((list) => list.length === 0);
}
