import {
  canonicalJson,
  compareNanos,
  microsOf,
  type StoreCapabilities,
  type TraceStore,
} from "@spanloom/model";
import {
  AnalyticsCells,
  analyticsOf,
  type Backing,
  type ChangedExecution,
  cellsOf,
  createBackedStore,
  dailyCostsOf,
  type GoneSpan,
  type HeldExecution,
  type LedgerChanges,
  listPage,
  type Missing,
  type PlacedRef,
  type RetentionOptions,
  type SpanRef,
  type StoredPart,
  type StoredSpan,
  statsOf,
  summaryOf,
  type UsageCell,
  UsageCells,
} from "@spanloom/store/ledger";

/** Any ordered map of texts that can change many keys at once: LevelDB, FoundationDB, a table with two columns. */
export interface KeyValue {
  get(keys: readonly string[]): Promise<(string | undefined)[]>;
  /** The values of all keys that begin with the prefix, by key. The prefix ends with `/`. */
  under(prefix: string): Promise<Map<string, string>>;
  /** All of it or nothing, durable when it resolves. `undefined` removes. */
  commit(changes: ReadonlyMap<string, string | undefined>): Promise<void>;
  close(): Promise<void>;
}

const CAPABILITIES: StoreCapabilities = {
  durability: "process-crash",
  concurrentWriters: false,
  crossProcessReads: false,
  erasure: "eventual",
  provenSpansPerExecution: 10_000,
};

export function createKeyValueStore(
  keyValue: KeyValue,
  { retention }: { retention?: RetentionOptions | false } = {},
): TraceStore {
  return createBackedStore({
    name: "key-value",
    capabilities: CAPABILITIES,
    retention,
    backing: (scope) => new KeyValueBacking(keyValue, scope),
    scopes: async () => [...(await keyValue.under("scopes/")).values()],
    close: () => keyValue.close(),
  });
}

/** What retention removed goes on counting: one value, because there is little of it. */
interface PrunedSums {
  usage: UsageCell[];
  analytics: ReturnType<typeof cellsOf>;
}

class KeyValueBacking implements Backing {
  private readonly keyValue: KeyValue;
  private readonly scope: string;

  constructor(keyValue: KeyValue, scope: string) {
    this.keyValue = keyValue;
    this.scope = scope;
  }

  watermark(): Promise<string | undefined> {
    return this.read("watermark");
  }

  setWatermark(before: string): Promise<void> {
    return this.keyValue.commit(new Map([[this.key("watermark"), JSON.stringify(before)]]));
  }

  async load({ traceIds, executionIds }: Missing): Promise<StoredPart> {
    const part: StoredPart = { spans: [], executions: [], traces: [] };
    for (const traceId of traceIds) {
      part.spans.push(...(await this.readUnder<StoredSpan>("span", traceId)));
      part.traces.push({ traceId, refusesUnnamed: (await this.read("refuses", traceId)) === true });
    }
    for (const executionId of executionIds) {
      const row = await this.read<ChangedExecution>("execution", executionId);
      if (row === undefined) continue;
      part.executions.push({ ...row, gone: await this.readUnder<GoneSpan>("gone", executionId) });
      const members = await this.readUnder<SpanRef>("member", executionId);
      const keys = members.map(({ traceId, spanId }) => this.key("span", traceId, spanId));
      for (const json of await this.keyValue.get(keys))
        if (json !== undefined) part.spans.push(JSON.parse(json));
    }
    return part;
  }

  async save(changes: LedgerChanges): Promise<void> {
    const rows = new Map<string, string | undefined>();
    const put = (value: unknown, ...parts: string[]): unknown =>
      rows.set(this.key(...parts), JSON.stringify(value));
    rows.set(`scopes/${escaped(this.scope)}`, this.scope);
    for (const { executionId, traceId, spanId, seq } of changes.gone) {
      put(undefined, "member", executionId, traceId, spanId);
      put({ traceId, spanId, seq }, "gone", executionId, traceId, spanId);
    }
    for (const { executionId, traceId, spanId } of changes.returned) {
      put(undefined, "gone", executionId, traceId, spanId);
    }
    for (const { facts, executionId, insSeq, seq, json } of changes.spans) {
      const { traceId, spanId } = facts;
      put({ facts, executionId, insSeq, seq }, "span", traceId, spanId);
      put({ traceId, spanId }, "member", executionId, traceId, spanId);
      if (json !== undefined) rows.set(this.key("record", traceId, spanId), json);
    }
    for (const { traceId, spanId } of changes.removed) {
      put(undefined, "span", traceId, spanId);
      put(undefined, "record", traceId, spanId);
    }
    for (const { statsBefore, ...row } of changes.executions) put(row, "execution", row.executionId);
    for (const { executionId, ...cell } of changes.usage) {
      const empty = cell.sums.every((value) => value === 0);
      put(empty ? undefined : cell, "usage", executionId, String(cell.bucket), cell.model);
    }
    for (const { traceId, refusesUnnamed } of changes.traces) put(refusesUnnamed, "refuses", traceId);
    for (const executionId of changes.forgotten) {
      put(undefined, "execution", executionId);
      for (const kind of ["member", "gone", "usage"]) {
        const entries = await this.keyValue.under(`${this.key(kind, executionId)}/`);
        for (const key of entries.keys()) rows.set(key, undefined);
      }
    }
    const { rollup, analytics } = changes.pruned;
    if (rollup.length + analytics.length > 0) {
      const { usage, analytics: counts } = await this.pruned();
      put(sumsOf([...usage, ...rollup], [...counts, ...analytics]), "pruned");
    }
    await this.keyValue.commit(rows);
  }

  async records(spans: readonly PlacedRef[]): Promise<(string | undefined)[]> {
    const keys = spans.map(({ traceId, spanId }) => this.key("record", traceId, spanId));
    return (await this.keyValue.get(keys)).map((json, index) => {
      const executionId = spans[index]?.executionId;
      return json && JSON.stringify({ ...JSON.parse(json), executionId });
    });
  }

  listExecutions: Backing["listExecutions"] = async (query) => {
    return listPage(
      (await this.executions()).flatMap(({ summary }) => summary ?? []),
      query,
    );
  };

  getExecutions: Backing["getExecutions"] = async (executionIds) => {
    const rows = await Promise.all(executionIds.map((id) => this.read<ChangedExecution>("execution", id)));
    return rows.flatMap((row) => row?.summary ?? []);
  };

  getDailyCosts: Backing["getDailyCosts"] = async (query) =>
    dailyCostsOf(query, await this.usage(), Date.now());

  getAnalytics: Backing["getAnalytics"] = async (query) => {
    const living = (await this.executions()).flatMap(({ stats }) =>
      stats === undefined ? [] : cellsOf(stats),
    );
    const { analytics } = await this.pruned();
    return analyticsOf(query, [...analytics, ...living], await this.usage(), Date.now());
  };

  async oldExecutions(before: string, limit: number): Promise<string[]> {
    const dated = (await this.executions()).flatMap(({ executionId, lastActivity: last }) =>
      last !== undefined && compareNanos(last, before) < 0 ? [{ executionId, last }] : [],
    );
    dated.sort((a, b) => compareNanos(a.last, b.last));
    return dated.slice(0, limit).map(({ executionId }) => executionId);
  }

  async dropSums(before: string): Promise<void> {
    const day = Math.floor(microsOf(before) / 86_400e6) * 86_400;
    const { usage, analytics } = await this.pruned();
    const kept = {
      usage: usage.filter((cell) => cell.bucket >= day),
      analytics: analytics.filter((cell) => cell.bucket >= day),
    };
    await this.keyValue.commit(new Map([[this.key("pruned"), JSON.stringify(kept)]]));
  }

  async executionIds(): Promise<string[]> {
    return (await this.executions()).flatMap((row) => (row.summary === undefined ? [] : row.executionId));
  }

  async recompute(execution: HeldExecution): Promise<boolean> {
    const { executionId, seq } = execution;
    const [summary, stats, lastActivity] = [
      summaryOf(execution),
      statsOf(execution),
      execution.lastActivity(),
    ];
    const own = this.key("execution", executionId);
    const right = new Map([
      [own, canonicalJson({ executionId, seq, deleted: false, summary, stats, lastActivity })],
    ]);
    for (const { bucket, model, sums } of execution.usage.values()) {
      const cell = { bucket, workflowId: stats?.workflowId ?? "", model, sums };
      right.set(this.key("usage", executionId, String(bucket), model), canonicalJson(cell));
    }
    const stored = await this.keyValue.under(`${this.key("usage", executionId)}/`);
    stored.set(own, (await this.keyValue.get([own]))[0] ?? "null");
    const changes = new Map<string, string | undefined>();
    for (const [key, json] of right) {
      if (canonicalJson(JSON.parse(stored.get(key) ?? "null")) !== json) changes.set(key, json);
    }
    for (const key of stored.keys()) if (!right.has(key)) changes.set(key, undefined);
    if (changes.size > 0) await this.keyValue.commit(changes);
    return changes.size > 0;
  }

  private executions(): Promise<ChangedExecution[]> {
    return this.readUnder("execution");
  }

  private async usage(): Promise<UsageCell[]> {
    return [...(await this.pruned()).usage, ...(await this.readUnder<UsageCell>("usage"))];
  }

  private async pruned(): Promise<PrunedSums> {
    return (await this.read<PrunedSums>("pruned")) ?? { usage: [], analytics: [] };
  }

  private async read<T>(...parts: string[]): Promise<T | undefined> {
    const [json] = await this.keyValue.get([this.key(...parts)]);
    return json === undefined ? undefined : JSON.parse(json);
  }

  private async readUnder<T>(...parts: string[]): Promise<T[]> {
    const entries = await this.keyValue.under(`${this.key(...parts)}/`);
    return Array.from(entries.values(), (json) => JSON.parse(json) as T);
  }

  private key(...parts: string[]): string {
    return ["scope", this.scope, ...parts].map(escaped).join("/");
  }
}

function sumsOf(usage: UsageCell[], analytics: PrunedSums["analytics"]): PrunedSums {
  const cells = new UsageCells();
  const counts = new AnalyticsCells();
  for (const cell of usage) cells.add(cell);
  for (const cell of analytics) counts.add(cell);
  return { usage: [...cells.values()], analytics: [...counts.values()] };
}

/** Ids are the hosts': one with a slash in it must not reach into another. */
function escaped(part: string): string {
  return part.replaceAll("%", "%25").replaceAll("/", "%2F");
}
