import type { SpanRecord, StoreCapabilities } from "@spanloom/model";
import { spanKey } from "@spanloom/model";
import { storeClosed } from "../check-arguments.ts";
import { createWatchers, type Watchers } from "../watchers.ts";
import type { Backing, PlacedRef } from "./backing.ts";
import type { LedgerChanges, Missing, SpanRef } from "./changes.ts";
import type { HeldExecution } from "./held-execution.ts";
import { Ledger } from "./ledger.ts";
import { loadComponents } from "./load-components.ts";

/** What the scopes of one store share. */
export interface BackedState {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  /** Set once the store is closing. */
  closed: boolean;
}

/** A ledger and its backing: one call after the other, each with what it needs in memory, and saved before it resolves. */
export class ScopeCore {
  readonly backing: Backing;
  readonly ledger: Ledger = new Ledger();
  readonly watchers: Watchers = createWatchers();
  private readonly state: BackedState;
  private turn: Promise<unknown> = Promise.resolve();
  private watermarkRead: Promise<void> | undefined;

  constructor(backing: Backing, state: BackedState) {
    this.backing = backing;
    this.state = state;
  }

  checkOpen(): void {
    if (this.state.closed) throw storeClosed(this.state.name);
  }

  /** Runs one call after the other. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    this.checkOpen();
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** Runs what changes something. */
  change<T>(work: () => Promise<T>): Promise<T> {
    return this.alone(() => this.backing.exclusive?.(work) ?? work());
  }

  /** Asks about one execution that has spans. */
  about<T>(executionId: string, ask: (execution: HeldExecution) => T): Promise<T | undefined> {
    return this.alone(async () => {
      await this.hold({ traceIds: [], executionIds: [executionId] });
      const execution = this.ledger.execution(executionId);
      return execution === undefined || execution.spanCount === 0 ? undefined : ask(execution);
    });
  }

  /** Whatever is asked of the whole scope must see what others wrote, and what was written before. */
  async ready(): Promise<void> {
    await this.alone(async () => {
      await this.backing.refresh?.(this.ledger, { traceIds: [], executionIds: [] });
    });
  }

  /** Inside a call: brings these and all that is connected with them into memory, as they are now. */
  async hold(ids: Missing): Promise<void> {
    if (this.watermarkRead === undefined) {
      this.watermarkRead = this.backing.watermark().then((watermark) => {
        this.ledger.watermark = watermark;
      });
      this.watermarkRead.catch(() => {
        this.watermarkRead = undefined;
      });
    }
    await this.watermarkRead;
    await this.backing.refresh?.(this.ledger, ids);
    await loadComponents(this.ledger, ids, (missing) => this.backing.load(missing));
  }

  async save(changes: LedgerChanges): Promise<void> {
    try {
      await this.backing.save(changes);
    } catch (error) {
      // Nothing of it holds: the backing is the truth.
      this.ledger.forgetChanges(changes);
      throw error;
    }
    this.watchers.wake(changes.executions.map(({ executionId }) => executionId));
  }

  /** Stored records that are as good as some of these, by all that the ledger knows of them. */
  async storedTies(records: readonly SpanRecord[]): Promise<Map<string, SpanRecord>> {
    const refs = this.ledger.ties(records);
    const texts = await this.backing.records(refs, "full");
    const found = texts.flatMap((json) => (json === undefined ? [] : [JSON.parse(json) as SpanRecord]));
    return new Map(found.map((record) => [spanKey(record), record]));
  }

  /** Records beside other calls. What is not there is looked for again between them: somebody may have just moved it. */
  async read(
    executionId: string,
    refs: readonly SpanRef[],
    view: "skeleton" | "full",
  ): Promise<(string | undefined)[]> {
    if (refs.length === 0) return [];
    const placed: PlacedRef[] = refs.map(({ traceId, spanId }) => ({ traceId, spanId, executionId }));
    const texts = await this.backing.records(placed, view);
    const lost = placed.filter((_, index) => texts[index] === undefined);
    if (lost.length === 0) return texts;
    const again = await this.alone(async () => {
      await this.hold({ traceIds: [], executionIds: [executionId] });
      const there = lost.filter((ref) => this.ledger.belongs(ref, executionId));
      const found = await this.backing.records(there, view);
      return new Map(there.map((ref, index) => [ref, found[index]]));
    });
    return placed.map((ref, index) => texts[index] ?? again.get(ref));
  }

  /** Resolves when every call that was made is done, and the backing has let go. */
  async close(): Promise<void> {
    await this.turn;
    await this.backing.close?.();
  }
}
