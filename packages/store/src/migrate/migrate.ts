import {
  canonicalJson,
  type ExecutionSummary,
  isUnixNanos,
  SpanloomError,
  type SpanSink,
  type TraceReader,
} from "@spanloom/model";
import { checkScope, checkWhole } from "../check-arguments.ts";
import { copyExecution, type FoundProblem } from "./copy-execution.ts";
import type { MigrationProblem, MigrationReport, MigrationState } from "./migration-report.ts";

export interface MigrateOptions {
  /** The scopes to copy: a store does not tell which it has. */
  scopes: readonly string[];
  /** How far an earlier run came, to go on from there. */
  state?: MigrationState;
  /** Gets how far this run came, from time to time; the run goes on when it has resolved. */
  onState?(state: MigrationState): void | Promise<void>;
  onProgress?(progress: MigrationProgress): void;
  /** Hears at once of what is not in the destination as it is in the source; again when it was copied again. */
  onProblem?(problem: MigrationProblem): void;
  /** How often to look for what changed meanwhile, until nothing did: 3 where absent; 0 for a source that nobody writes. */
  passes?: number;
  /** Ends the run between two executions with the signal's reason. */
  signal?: AbortSignal;
}

export interface MigrationProgress {
  scope: string;
  /** 0 while everything is copied for the first time, then the number of the pass that looks for changes. */
  pass: number;
  executionId: string;
  /** SHA-256 over the records of this execution, the same for the same records in any store. */
  checksum: string;
  /** So far, in all scopes. */
  executions: number;
  spans: number;
}

/** A store that can be read. */
export interface MigrationSource {
  forScope(scope: string): TraceReader;
}

/** A store that can be written and read back. */
export interface MigrationTarget {
  forScope(scope: string): SpanSink & TraceReader;
}

/**
 * Copies scopes from any store to any other, execution by execution in the order of their starts, and reads each back.
 * What is in the destination already stays: writing is a merge, so a run may be broken off, repeated, or go on from the
 * state of an earlier one. The source may be written meanwhile: what changed is copied again in further passes.
 *
 * Only spans are copied. Summaries and sums are made of them anew; sums of what the source has pruned stay behind, and
 * `differingDays` names the days. Executions that the source has deleted do not hinder the destination from taking late
 * spans of them. Rejects when a store fails: go on with the last state.
 */
export async function migrate(
  from: MigrationSource,
  to: MigrationTarget,
  options: MigrateOptions,
): Promise<MigrationReport> {
  const scopes = [...new Set(options.scopes.map(checkScope))];
  const passes = checkWhole(options.passes, "passes", { most: 100, fallback: 3 });
  const migration = new Migration(options, checkState(options.state));
  for (const scope of scopes) {
    await migration.run(scope, from.forScope(scope), to.forScope(scope), passes);
  }
  return migration.report;
}

const PAGE = 100;
const MOST_PROBLEMS = 1_000;
const DAYS = 400;

class Migration {
  readonly report: MigrationReport = {
    ...{ verified: 0, copied: 0, spans: 0, comparedBySummary: 0, stillChanging: 0 },
    ...{ problems: [], problemCount: 0, differingDays: [] },
  };
  private readonly options: MigrateOptions;
  private readonly state: MigrationState;

  constructor(options: MigrateOptions, state: MigrationState) {
    this.options = options;
    this.state = state;
  }

  async run(scope: string, from: TraceReader, to: SpanSink & TraceReader, passes: number): Promise<void> {
    const side: Side = { scope, from, to, copied: new Map(), compared: new Set() };
    await this.copyAll(side);
    let changed = 0;
    for (let pass = 1; pass <= passes; pass++) {
      changed = await this.copyChanged(side, pass);
      if (changed === 0) break;
    }
    this.report.stillChanging += changed;
    for (const { problems } of side.copied.values()) {
      if (problems.length === 0) this.report.verified++;
      this.report.problemCount += problems.length;
      this.report.problems.push(...problems.slice(0, MOST_PROBLEMS - this.report.problems.length));
    }
    await this.compareDays(side);
  }

  /** Everything that an earlier run has not copied. */
  private async copyAll(side: Side): Promise<void> {
    const { scope, from } = side;
    const copiedTo = this.state.scopes[scope]?.copiedTo;
    let cursor: string | undefined;
    do {
      const page = await from.listExecutions({
        sort: { by: "startTime", direction: "asc" },
        limit: PAGE,
        // Those of the very same start again: writing is a merge.
        ...(copiedTo !== undefined && { from: copiedTo }),
        ...(cursor !== undefined && { cursor }),
      });
      for (const { executionId } of page.items) await this.copy(side, executionId, 0);
      const last = page.items.at(-1);
      if (last !== undefined) {
        this.state.scopes[scope] = { copiedTo: last.startTime };
        await this.options.onState?.(structuredClone(this.state));
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** What is new or other than when it was copied. Gives how much that was. */
  private async copyChanged(side: Side, pass: number): Promise<number> {
    const there = new Set<string>();
    let changed = 0;
    let cursor: string | undefined;
    do {
      const page = await side.from.listExecutions({
        sort: { by: "startTime", direction: "asc" },
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      });
      const doubtful: ExecutionSummary[] = [];
      for (const execution of page.items) {
        const { executionId } = execution;
        there.add(executionId);
        const copied = side.copied.get(executionId);
        if (copied === undefined) doubtful.push(execution);
        else if (await this.isBehind(side, execution, copied.seq)) {
          changed++;
          await this.copy(side, executionId, pass);
        }
      }
      for (const executionId of await this.notTheSame(side, doubtful)) {
        changed++;
        await this.copy(side, executionId, pass);
      }
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    for (const [executionId, copied] of side.copied) {
      if (!there.has(executionId)) await this.lookForGone(side, executionId, copied);
    }
    return changed;
  }

  /** Whether the source holds changes that were not copied: commits alone may also tell of sums. */
  private async isBehind(
    { from }: Side,
    { executionId, seq }: ExecutionSummary,
    copied: number,
  ): Promise<boolean> {
    if (seq === copied) return false;
    const changes = await from.changesSince(executionId, copied, { limit: 1 });
    return (
      changes !== undefined && (changes.seq < copied || changes.spans.length + changes.removed.length > 0)
    );
  }

  /** Of what an earlier run copied, or what is new: the executions that look different at the other side. */
  private async notTheSame(side: Side, executions: readonly ExecutionSummary[]): Promise<string[]> {
    if (executions.length === 0) return [];
    const copies = await side.to.getExecutions(executions.map(({ executionId }) => executionId));
    const known = new Map(copies.map((copy) => [copy.executionId, withoutSeq(copy)]));
    return executions.flatMap((execution) => {
      const { executionId } = execution;
      if (known.get(executionId) !== withoutSeq(execution)) return executionId;
      if (!side.compared.has(executionId)) this.report.comparedBySummary++;
      side.compared.add(executionId);
      return [];
    });
  }

  private async copy(side: Side, executionId: string, pass: number): Promise<void> {
    const { signal, onProgress } = this.options;
    signal?.throwIfAborted();
    const copied = await copyExecution(side.from, side.to, executionId);
    if (copied === undefined) return;
    const { seq, spans, checksum, problems } = copied;
    this.report.copied++;
    this.report.spans += spans;
    side.copied.set(executionId, { seq, problems: this.tell(side, executionId, problems) });
    onProgress?.({
      ...{ scope: side.scope, pass, executionId, checksum },
      ...{ executions: this.report.copied, spans: this.report.spans },
    });
  }

  /** What was copied and is not in the source any more. */
  private async lookForGone(side: Side, executionId: string, copied: Copied): Promise<void> {
    const [still] = await side.from.getExecutions([executionId]);
    if (still !== undefined || copied.gone === true) return;
    // An execution whose spans got another name has gone at both sides.
    const [copy] = await side.to.getExecutions([executionId]);
    if (copy === undefined) side.copied.delete(executionId);
    else {
      const problems = this.tell(side, executionId, [{ kind: "gone", count: copy.spanCount, spans: [] }]);
      side.copied.set(executionId, { ...copied, gone: true, problems });
    }
  }

  private tell({ scope }: Side, executionId: string, found: readonly FoundProblem[]): MigrationProblem[] {
    const problems = found.map((problem) => ({ scope, executionId, ...problem }));
    for (const problem of problems) this.options.onProblem?.(problem);
    return problems;
  }

  private async compareDays({ scope, from, to }: Side): Promise<void> {
    // Of one last day, also where the clocks of the two differ or midnight comes between.
    const query = { days: DAYS, timeZone: "UTC", lastDay: new Date().toISOString().slice(0, 10) };
    const [before, after] = await Promise.all([from.getDailyCosts(query), to.getDailyCosts(query)]);
    for (const [index, { day, usage, cost }] of before.days.entries()) {
      const copy = after.days[index];
      if (canonicalJson({ usage, cost }) === canonicalJson({ usage: copy?.usage, cost: copy?.cost }))
        continue;
      const to = copy?.cost.nanoUsd;
      this.report.differingDays.push({
        ...{ scope, day },
        ...(cost.nanoUsd !== undefined && { from: cost.nanoUsd }),
        ...(to !== undefined && { to }),
      });
    }
  }
}

interface Side {
  scope: string;
  from: TraceReader;
  to: SpanSink & TraceReader;
  /** What this run copied. */
  copied: Map<string, Copied>;
  /** What an earlier run copied and looks the same. */
  compared: Set<string>;
}

interface Copied {
  /** The source's commit. */
  seq: number;
  /** What was not the same when it was read back. */
  problems: MigrationProblem[];
  /** The source has it no more, and that was told. */
  gone?: boolean;
}

/** Commits are numbered by each store for itself. */
function withoutSeq({ seq: _, ...summary }: ExecutionSummary): string {
  return canonicalJson(summary);
}

function checkState(state: MigrationState | undefined): MigrationState {
  if (state === undefined) return { version: 1, scopes: {} };
  const { version, scopes } = state;
  const known =
    version === 1 &&
    typeof scopes === "object" &&
    Object.values(scopes).every((one) => isUnixNanos(one?.copiedTo));
  if (known) return structuredClone(state);
  throw new SpanloomError("invalid_argument", {
    what: "The state of the migration cannot be read.",
    why: "It was changed, or made by another version.",
    fix: "Leave it out to start anew: what was copied stays, and is not doubled.",
  });
}
