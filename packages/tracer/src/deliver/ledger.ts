import type { ProblemReporter } from "../problems.ts";
import { Counters, type DropReason } from "./counters.ts";
import type { Waiting } from "./record-queue.ts";
import type { Spool } from "./spool.ts";

/** What becomes of records: counted, told, and settled on the disk. */
export class Ledger {
  readonly counters: Counters = new Counters();
  /** Under way. */
  readonly sending: Set<Waiting> = new Set();
  readonly #name: string;
  readonly #problems: ProblemReporter;
  readonly spool: Spool | undefined;

  constructor({ name, problems, spool }: { name: string; problems: ProblemReporter; spool?: Spool }) {
    this.#name = name;
    this.#problems = problems;
    this.spool = spool;
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

  drop(reason: DropReason, count: number): void {
    this.counters.drop(reason, count);
    if (count > 0)
      this.#problems.report(
        "spans_dropped",
        this.#name,
        `Spans were dropped (${reason}); stats() has the counts.`,
      );
  }
}
