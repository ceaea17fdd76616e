import { LinkedSet } from "../linked-set.ts";
import type { ProblemReporter } from "../problems.ts";
import type { DeliveryStats, DropReason } from "./counters.ts";
import type { Waiting } from "./record-queue.ts";
import type { Spool } from "./spool.ts";

/** What becomes of records: counted, told, and settled on the disk. */
export class Ledger {
  readonly counters: Record<"accepted" | "recovered" | "stored" | "merged" | "deadLettered", number> = {
    accepted: 0,
    recovered: 0,
    stored: 0,
    merged: 0,
    deadLettered: 0,
  };
  /** Under way. */
  readonly sending: LinkedSet<Waiting> = new LinkedSet();
  readonly spool: Spool | undefined;
  readonly problems: ProblemReporter;
  readonly #dropped: DeliveryStats["dropped"] = {};
  readonly #name: string;

  constructor({
    name,
    problems,
    spool,
  }: { name: string; problems: ProblemReporter; spool?: Spool | undefined }) {
    this.#name = name;
    this.problems = problems;
    this.spool = spool;
  }

  stats(queued: number): DeliveryStats {
    const spilled = this.spool?.pending ?? 0;
    return { ...this.counters, queued, spilled, dropped: { ...this.#dropped } };
  }

  /** The other end took them. */
  stored(entries: readonly Waiting[]): void {
    this.counters.stored += entries.length;
    this.settle(entries);
  }

  settle(entries: readonly Waiting[]): void {
    for (const entry of entries) {
      entry.state = "gone";
      this.sending.delete(entry);
      if (entry.place !== undefined) this.spool?.settle(entry.place);
    }
  }

  /** Counts what is lost, and tells the host. */
  drop(reason: DropReason, count: number): void {
    this.lose(reason, count);
    if (count > 0)
      this.problems.report(
        "spans_dropped",
        this.#name,
        `Spans were dropped (${reason}); stats() has the counts.`,
      );
  }

  /** Counts what is lost, where that is no news. */
  lose(reason: DropReason, count: number): void {
    if (count > 0) this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
  }
}
