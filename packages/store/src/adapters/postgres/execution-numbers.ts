import type { ExecutionSummary } from "@spanloom/model";
import type { LedgerChanges } from "../../ledger/changes.ts";
import type { Session } from "./database.ts";
import { loadNumbers } from "./load.ts";

const MOST_KEPT = 200_000;
/** As the sequence says. */
const NUMBERS_OF_A_BLOCK = 64;

/** The numbers of one scope's executions, and with which traces they are stored: what is kept is only a faster way to know. */
export class ExecutionNumbers {
  private readonly schema: string;
  private readonly numbers = new Map<string, number>();
  private readonly traces = new Map<string, string>();
  /** Numbers that nobody has, taken from the sequence in blocks. */
  private free: { next: number; end: number } = { next: 0, end: 0 };

  /** @param schema As SQL. */
  constructor(schema: string) {
    this.schema = schema;
  }

  /**
   * A number for every execution that the changes name; new ones for those that are not stored.
   *
   * @param absent Executions that are known not to be stored.
   */
  async of(
    session: Session,
    scopeNo: number,
    changes: LedgerChanges,
    absent: ReadonlySet<string>,
  ): Promise<Map<string, number>> {
    const numbers = new Map<string, number>();
    const named = [changes.spans, changes.gone, changes.returned, changes.executions].flatMap((list) =>
      list.map(({ executionId }) => executionId),
    );
    const unknown: string[] = [];
    for (const id of new Set([...named, ...changes.forgotten])) {
      const known = this.numbers.get(id);
      if (known !== undefined) numbers.set(id, known);
      else unknown.push(id);
    }
    const asked = unknown.filter((id) => !absent.has(id));
    if (asked.length > 0) {
      for (const [id, number] of await loadNumbers(session, this.schema, scopeNo, asked))
        numbers.set(id, number);
    }
    for (const id of unknown) {
      if (!numbers.has(id)) numbers.set(id, await this.freeNumber(session));
    }
    return numbers;
  }

  /** What was just read of an execution. */
  note(executionId: string, number: number): void {
    this.numbers.set(executionId, number);
    this.traces.delete(executionId);
  }

  /** Whether the execution may be stored with other traces. */
  tracesDiffer(executionId: string, traces: string): boolean {
    return this.traces.get(executionId) !== traces;
  }

  /** Keeps what a commit has stored. */
  settle(
    numbers: ReadonlyMap<string, number>,
    traces: ReadonlyMap<string, string>,
    forgotten: readonly string[],
  ): void {
    if (this.numbers.size > MOST_KEPT) this.clear();
    for (const [id, number] of numbers) this.numbers.set(id, number);
    for (const [id, now] of traces) this.traces.set(id, now);
    for (const id of forgotten) {
      this.numbers.delete(id);
      this.traces.delete(id);
    }
  }

  clear(): void {
    this.numbers.clear();
    this.traces.clear();
  }

  /** Numbers of the sequence come in blocks; what a failed write took is lost, and nobody's. */
  private async freeNumber(session: Session): Promise<number> {
    if (this.free.next === this.free.end) {
      const sequence = `${this.schema}.execution_no`;
      const [[first] = []] = await session.rows("SELECT nextval($1::regclass)::float8", sequence);
      this.free = { next: first as number, end: (first as number) + NUMBERS_OF_A_BLOCK };
    }
    return this.free.next++;
  }
}

/** With which traces an execution is stored, as one text. */
export function tracesOf({ traceIds }: ExecutionSummary): string {
  return traceIds.toSorted().join();
}
