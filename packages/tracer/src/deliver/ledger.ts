import type { ProblemReporter } from "../problems.ts";
import type { SendResult } from "./attempt.ts";
import { Counters, type DropReason } from "./counters.ts";
import type { Waiting } from "./record-queue.ts";
import type { Spool } from "./spool.ts";

/** A record that the other end refuses for good, and why. */
export interface Refusal {
  entry: Waiting;
  code: string;
  reason: string;
}

/** What becomes of records: counted, told, and settled on the disk. */
export class Ledger {
  readonly counters: Counters = new Counters();
  /** Under way. */
  readonly sending: Set<Waiting> = new Set();
  readonly #name: string;
  readonly #problems: ProblemReporter;
  readonly #spool: Spool | undefined;

  constructor({ name, problems, spool }: { name: string; problems: ProblemReporter; spool?: Spool }) {
    this.#name = name;
    this.#problems = problems;
    this.#spool = spool;
  }

  /** The other end took the batch, but for what it names. Counters come first: they are true whenever somebody is told. */
  async answered(batch: readonly Waiting[], { rejected, rejectedUnnamed = 0 }: SendResult): Promise<void> {
    const refusals = new Map(rejected.map((refusal) => [batch[refusal.index], refusal]));
    const taken = batch.filter((entry) => !refusals.has(entry));
    const unnamed = Math.min(rejectedUnnamed, taken.length);
    this.counters.stored += taken.length - unnamed;
    this.settle(taken);
    this.drop("rejected", unnamed);
    const refused: Refusal[] = [];
    for (const [entry, { code, message }] of refusals) {
      if (entry === undefined) continue;
      // Spans of an execution that was deleted are refused for good: that is no fault.
      if (code === "deleted_execution") {
        this.counters.drop("rejected", 1);
        this.settle([entry]);
      } else refused.push({ entry, code, reason: message ?? code });
    }
    await this.refuse(refused);
  }

  settle(entries: readonly Waiting[]): void {
    for (const entry of entries) {
      entry.state = "gone";
      this.sending.delete(entry);
      if (entry.place !== undefined) this.#spool?.settle(entry.place);
    }
  }

  /** Records of an execution that was deleted: that is no fault, and nobody is told. */
  forget(entries: readonly Waiting[]): void {
    this.settle(entries);
    this.counters.drop("deleted", entries.length);
  }

  /** Records that are to blame: set apart where there is a disk, else counted and let go. */
  async refuse(refused: readonly Refusal[]): Promise<void> {
    if (refused.length === 0) return;
    // What the other end says may hold secrets of its own, such as how it is reached.
    const clean = (text: string): string => String(this.#problems.clean(text));
    const letters = refused.map(({ entry, code, reason }) => ({
      record: entry.record,
      code: clean(code),
      reason: clean(reason),
    }));
    const buried = (await this.#spool?.bury(letters)) ?? false;
    this.settle(refused.map(({ entry }) => entry));
    if (buried) this.counters.deadLettered += refused.length;
    else this.drop("rejected", refused.length);
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
