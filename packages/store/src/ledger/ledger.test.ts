import {
  computeRunMetrics,
  costItems,
  currentSpans,
  executionStats,
  isUnnamed,
  namingSpan,
  quarterOf,
  summarizeExecution,
} from "@spanloom/metrics";
import {
  addCost,
  addUsage,
  bearsBelow,
  compareNanos,
  type ExecutionDetail,
  emptyCostSum,
  emptyUsageSum,
  mergeSpan,
  type SpanRecord,
  spanKey,
  type WriteReceipt,
} from "@spanloom/model";
import { makeSpan } from "@spanloom/model/fixtures";
import { expect, test } from "vitest";
import { sumsFrom } from "../sql/sums.ts";
import { inPageOrder } from "../testing/expected.ts";
import { createRandom, type Random } from "../testing/random.ts";
import { type RandomHistory, randomHistory } from "../testing/random-history.ts";
import { admit } from "./admit.ts";
import { detailOf, runMetricsOfExecution, statsOf } from "./answers.ts";
import { AnalyticsCells, UsageCells } from "./cells.ts";
import type { StoredPart } from "./changes.ts";
import type { HeldExecution } from "./held-execution.ts";
import { Ledger } from "./ledger.ts";
import { loadComponents } from "./load-components.ts";
import { TracePages } from "./pages.ts";
import { PlainBacking } from "./plain-backing.test-support.ts";
import { tightHistory } from "./tight-history.test-support.ts";

const RANDOM = 60;
const TIGHT = 300;

test("whatever happens, ledger and backing say what the reference says", { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= RANDOM; seed++) await play(seed, randomHistory(seed), 30);
});

test("nor do sums drift where few spans change again and again", { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= TIGHT; seed++) await play(seed, tightHistory(seed), 4);
});

test("a node's first span is found when it and others change together", async () => {
  const node = (number: number, startTime: string, fields: Partial<SpanRecord> = {}): SpanRecord =>
    makeSpan({ spanId: `000000000000000${number}`, nodeId: "n", nodeType: "t", startTime, ...fields });
  const ledger = new Ledger();
  const backing = new PlainBacking();
  const write = async (records: SpanRecord[]): Promise<ExecutionDetail | undefined> => {
    await loadComponents(ledger, ledger.missing(records), backing.load);
    backing.save(ledger.apply(admit(records)).changes);
    const held = ledger.execution(records[0]?.executionId ?? "");
    return held && detailOf(held);
  };
  await write([node(1, "1000"), node(2, "2000"), node(3, "3000")]);
  const later = { revision: 1, name: "later" };
  const moved = await write([node(3, "4000", later), node(1, "5000", later)]);
  expect(moved?.nodes).toMatchObject([{ startTime: "2000", nodeType: "t" }]);
  const untyped = await write([node(2, "2000", { revision: 2, nodeType: undefined })]);
  expect(untyped?.nodes).toMatchObject([{ startTime: "2000", nodeType: "t" }]);
  const none = await write(
    [1, 3].map((number) => node(number, "6000", { revision: 3, nodeType: undefined })),
  );
  expect(none?.nodes[0]).not.toHaveProperty("nodeType");
});

test("a trace that refuses what it never named is empty after pruning, and refuses it still", async () => {
  const traceId = "a".repeat(32);
  const unnamed = makeSpan({ traceId, executionId: traceId, parentSpanId: undefined });
  const named = makeSpan({ traceId, executionId: "run-1", revision: 5, spanId: "00000000000000aa" });
  const ledger = new Ledger();
  const load = async (): Promise<StoredPart> => ({ spans: [], executions: [], traces: [] });
  const write = async (record: SpanRecord): Promise<WriteReceipt> => {
    await loadComponents(ledger, ledger.missing([record]), load);
    return ledger.apply(admit([record])).receipt;
  };
  await write(unnamed);
  ledger.delete(traceId);
  await write(named);
  ledger.prune(ledger.component({ traceIds: [traceId], executionIds: [] }));
  expect((await write({ ...named, revision: 1 })).written).toBe(1);
  expect((await write(unnamed)).rejected.map(({ code }) => code)).toEqual(["deleted_execution"]);
});

async function play(
  seed: number,
  { batches, executionIds }: RandomHistory,
  mostSpans: number,
): Promise<void> {
  const run = new Run(seed, executionIds, mostSpans);
  for (const batch of batches) {
    await run.write(batch);
    await run.disturb();
    await run.check();
  }
}

/** One history, its ledger, its backing, and the records that count. */
class Run {
  private readonly random: Random;
  private readonly seed: number;
  private readonly ids: readonly string[];
  private readonly backing = new PlainBacking();
  private readonly followers = new Map<string, { seq: number; spans: Map<string, string> }>();
  private readonly mostSpans: number;
  private readonly deleted = { executions: new Set<string>(), traces: new Set<string>() };
  private ledger: Ledger;
  private records: SpanRecord[] = [];
  /** What pruned executions had added. */
  private readonly pruned = { rollup: new UsageCells(), analytics: new AnalyticsCells() };

  constructor(seed: number, ids: readonly string[], mostSpans: number) {
    this.seed = seed;
    this.mostSpans = mostSpans;
    this.ledger = new Ledger({ mostSpans });
    this.ids = ids;
    this.random = createRandom(seed + 7_000_000);
  }

  async write(batch: readonly SpanRecord[]): Promise<void> {
    const admitted = admit(batch);
    const records = admitted.records.map(({ record }) => record);
    const apply = async () => {
      await loadComponents(this.ledger, this.ledger.missing(records), this.backing.load);
      const ties = new Set(this.ledger.ties(records).map(spanKey));
      return this.ledger.apply(admitted, (key) =>
        ties.has(key) ? this.backing.spans.get(key)?.record : undefined,
      );
    };
    if (this.random.chance(0.1)) {
      // What could not be saved never was.
      this.ledger.forgetChanges((await apply()).changes);
    }
    const { receipt, changes } = await apply();
    this.backing.save(changes);
    const refused = new Set(receipt.rejected.map(({ index }) => index));
    const wanted = batch.flatMap((record, index) => (this.mustRefuse(record) ? [index] : []));
    expect([...refused], `seed ${this.seed}: refused`).toEqual(wanted);
    const taken = batch.filter((_, index) => !refused.has(index));
    expect(receipt.written + receipt.unchanged, "taken").toBe(taken.length);
    this.records.push(...taken);
  }

  private mustRefuse(record: SpanRecord): boolean {
    const { executions, traces } = this.deleted;
    return executions.has(record.executionId) || (isUnnamed(record) && traces.has(record.traceId));
  }

  async disturb(): Promise<void> {
    const { random, ledger, backing } = this;
    if (random.chance(0.05)) {
      const id = random.pick(this.ids);
      await loadComponents(ledger, { traceIds: [], executionIds: [id] }, backing.load);
      const own = this.current().filter((span) => span.executionId === id);
      if (random.chance(0.3)) {
        const unsaved = ledger.delete(id);
        if (unsaved !== undefined) ledger.forgetChanges(unsaved);
        await loadComponents(ledger, { traceIds: [], executionIds: [id] }, backing.load);
      }
      const changes = ledger.delete(id);
      expect(changes !== undefined, `delete ${id}`).toBe(own.length > 0);
      if (changes !== undefined) {
        backing.save(changes);
        this.deleted.executions.add(id);
        for (const traceId of new Set(own.map((span) => span.traceId))) {
          const ofTrace = currentSpans(this.records).filter((span) => span.traceId === traceId);
          const owner = namingSpan(ofTrace.map((span) => this.asWritten(span)))?.executionId ?? traceId;
          if (owner === id) this.deleted.traces.add(traceId);
        }
      }
      this.drop(own);
    }
    if (random.chance(0.03)) await this.prune();
    if (random.chance(0.3)) ledger.forget({ traceIds: [], executionIds: [random.pick(this.ids)] });
    if (random.chance(0.1)) {
      const { watermark } = this.ledger;
      this.ledger = new Ledger({ mostSpans: this.mostSpans });
      this.ledger.watermark = watermark;
    }
  }

  private async prune(): Promise<void> {
    const { random, ledger, backing } = this;
    const id = random.pick(this.ids);
    await loadComponents(ledger, { traceIds: [], executionIds: [id] }, backing.load);
    const component = ledger.component({ traceIds: [], executionIds: [id] });
    const all = this.current();
    const own = all.filter(({ executionId }) => component.executionIds.includes(executionId));
    const cells = expectedCells(all, (span) => component.executionIds.includes(span.executionId));
    backing.save(ledger.prune(component));
    for (const cell of cells.rollup.values()) this.pruned.rollup.add(cell);
    for (const cell of cells.analytics.values()) this.pruned.analytics.add(cell);
    this.drop(own);
    for (const executionId of component.executionIds) this.followers.delete(executionId);
  }

  private asWritten(span: SpanRecord): SpanRecord {
    const states = this.records.filter((record) => spanKey(record) === spanKey(span));
    return states.reduce((held, record) => mergeSpan(held, record));
  }

  private current(): SpanRecord[] {
    return currentSpans(this.records);
  }

  private drop(spans: readonly SpanRecord[]): void {
    const keys = new Set(spans.map(spanKey));
    this.records = this.records.filter((record) => !keys.has(spanKey(record)));
  }

  async check(): Promise<void> {
    const { backing } = this;
    // Mostly by another ledger: looking at everything would bring back what the one under test has let go of.
    const ledger = this.random.chance(0.3) ? this.ledger : new Ledger();
    const all = this.current();
    const about = `seed ${this.seed}`;
    const rows = [...backing.spans.values()].map(({ record, executionId }) => ({ ...record, executionId }));
    expect(byKey(rows), `${about}: spans`).toEqual(byKey(all));
    for (const id of this.ids) await this.checkExecution(ledger, id, all, about);
    const cells = expectedCells(all);
    for (const cell of this.pruned.rollup.values()) cells.rollup.add(cell);
    for (const cell of this.pruned.analytics.values()) cells.analytics.add(cell);
    expect(sorted(backing.rollup.values()), `${about}: rollup`).toEqual(sorted(cells.rollup.values()));
    expect(sorted(backing.analytics.values()), `${about}: analytics`).toEqual(
      sorted(cells.analytics.values()),
    );
    expect(sorted(backing.pruned.rollup.values()), `${about}: pruned`).toEqual(
      sorted(this.pruned.rollup.values()),
    );
    expect(sorted(backing.pruned.analytics.values()), `${about}: pruned analytics`).toEqual(
      sorted(this.pruned.analytics.values()),
    );
  }

  private async checkExecution(
    ledger: Ledger,
    id: string,
    all: readonly SpanRecord[],
    about: string,
  ): Promise<void> {
    const { backing } = this;
    const own = all.filter((span) => span.executionId === id);
    const row = backing.executions.get(id);
    if (own.length === 0) expect(row?.summary, `${about}: ${id} is empty`).toBeUndefined();
    await loadComponents(ledger, { traceIds: [], executionIds: [id] }, backing.load);
    const held = ledger.execution(id);
    expect(held?.spanCount ?? 0, `${about}: spans of ${id}`).toBe(own.length);
    expect(held?.seq, `${about}: seq of ${id}`).toBe(row?.seq);
    if (held === undefined) return;
    const detail = summarizeExecution(id, all, held.seq);
    if (own.length > 0) {
      expect(detailOf(held), `${about}: ${id}`).toEqual(detail);
      expect(runMetricsOfExecution(held), `${about}: metrics of ${id}`).toEqual(
        computeRunMetrics(id, all, held.seq),
      );
      const stats = executionStats(detail, own);
      expect(statsOf(held), `${about}: stats of ${id}`).toEqual(stats);
      expect(row?.stats, `${about}: saved stats of ${id}`).toEqual(stats);
      const { segments, nodes, outsideNodes, ...summary } = detail;
      expect(row?.summary, `${about}: saved summary of ${id}`).toEqual(summary);
      expect(row?.lastActivity, `${about}: last activity of ${id}`).toBe(lastOf(own));
      const order = new TracePages().order(held, held.seq).map(spanKey);
      expect(order, `${about}: order of ${id}`).toEqual(inPageOrder(own).map(spanKey));
    }
    const usage = [...backing.usage.values()].filter((cell) => cell.executionId === id);
    const cells = [...expectedCells(all, (span) => span.executionId === id).rollup.values()];
    expect(sorted(usage), `${about}: cells of ${id}`).toEqual(
      sorted(cells.map((cell) => ({ executionId: id, ...cell }))),
    );
    this.follow(held, id, all, about);
  }

  /** Somebody who knows of an execution only what its feed told. */
  private follow(held: HeldExecution, id: string, all: readonly SpanRecord[], about: string): void {
    const follower = this.followers.get(id) ?? { seq: 0, spans: new Map() };
    this.followers.set(id, follower);
    let { seq } = follower;
    const fed = Array.from(held.feed.since(0), spanKey);
    expect(new Set(fed).size, `${about}: a span stands twice in the feed of ${id}`).toBe(fed.length);
    for (const entry of held.feed.since(follower.seq)) {
      expect(entry.seq, `${about}: order of the feed of ${id}`).toBeGreaterThan(seq);
      seq = entry.seq;
      const row = this.backing.spans.get(spanKey(entry));
      if (entry.span === undefined || row === undefined) follower.spans.delete(spanKey(entry));
      else follower.spans.set(spanKey(entry), JSON.stringify(row.record));
    }
    follower.seq = held.seq;
    const back = [...follower.spans.keys()].filter((key) => this.backing.gone.get(id)?.has(key));
    expect(back, `${about}: spans of ${id} that are there and gone`).toEqual([]);
    const stored = [...this.backing.spans].filter(([, row]) => row.executionId === id);
    expect([...follower.spans].sort(), `${about}: what a follower of ${id} knows`).toEqual(
      stored.map(([key, row]) => [key, JSON.stringify(row.record)]).sort(),
    );
    expect(all.length).toBe(this.backing.spans.size);
  }
}

/** What the spans add to sums over time, by the reference. */
function expectedCells(
  all: readonly SpanRecord[],
  wanted: (span: SpanRecord) => boolean = () => true,
): { rollup: UsageCells; analytics: AnalyticsCells } {
  const rollup = new UsageCells();
  const analytics = new AnalyticsCells();
  const below = bearsBelow(all);
  const own = all.filter(wanted);
  for (const { startTime, workflowId = "", model, contribution } of costItems(own, below)) {
    const { usage, nanoUsd, unpriced } = contribution;
    const sum = { usage: emptyUsageSum(), cost: emptyCostSum() };
    if (usage !== undefined) addUsage(sum.usage, usage);
    if (nanoUsd !== undefined) addCost(sum.cost, nanoUsd);
    if (unpriced) addCost(sum.cost, undefined);
    const sums = sumsFrom(sum.usage, sum.cost);
    rollup.add({ bucket: quarterOf(startTime), workflowId, model, sums });
  }
  for (const id of new Set(own.map((span) => span.executionId))) {
    const detail = summarizeExecution(id, all, 0);
    analytics.addStats(
      executionStats(
        detail,
        own.filter((span) => span.executionId === id),
      ),
    );
  }
  return { rollup, analytics };
}

function lastOf(spans: readonly SpanRecord[]): string | undefined {
  return spans
    .flatMap(({ startTime, endTime }) => [startTime, endTime ?? startTime])
    .sort(compareNanos)
    .at(-1);
}

function byKey(spans: readonly SpanRecord[]): [string, string][] {
  return spans
    .map((span): [string, string] => [
      spanKey(span),
      JSON.stringify(
        Object.entries(span)
          .filter(([, v]) => v !== undefined)
          .sort(),
      ),
    ])
    .sort();
}

function sorted(cells: Iterable<object>): string[] {
  return Array.from(cells, (cell) => JSON.stringify(Object.entries(cell).sort())).sort();
}
