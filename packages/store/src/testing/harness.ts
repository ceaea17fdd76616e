import type {
  JsonValue,
  PruneReport,
  PruneRequest,
  ScopedStore,
  SpanRecord,
  SpanSink,
  TraceReader,
  TraceStore,
} from "@spanloom/model";
import { type ClaimReport, type ConformanceReport, type ReportedChapter, ReportWriter } from "./report.ts";

/** What the kit needs of a test runner. Vitest, Jest and `node:test` have it as it is. */
export interface ConformanceRunner {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/** One tenant's handle, as the adapter gives it. A reader behind a network has no administration. */
export type TestedStore = SpanSink &
  TraceReader &
  Partial<Pick<ScopedStore, "capabilities" | "deleteExecution" | "prune" | "redact" | "recompute">>;

/** A store with nothing in it, opened for one test. */
export interface OpenStore {
  forScope(scope: string): TestedStore;
  /** Retention over all scopes together, as `TraceStore` has it. */
  prune?(request: PruneRequest): Promise<PruneReport>;
  /** Ends the test: closes the store and lets go of its data. Always called, and again after a test that closed it. */
  close(): Promise<void>;
  /** Closes the store and opens it again over the same data; `forScope` then gives handles of the new one. */
  reopen?(): Promise<void>;
  /**
   * Every byte that the store keeps: its files one after another, or a dump. A store that erases some time after the call
   * does here first what its documentation says makes bytes vanish.
   */
  bytesOf?(): Promise<Uint8Array>;
}

/** How the kit opens one store in several processes. The module is loaded in children that really run, and in this one. */
export interface TestedProcesses {
  /** URL of a module that exports `open(config): TraceStore | Promise<TraceStore>` and can be loaded by a bare `node`. */
  module: string;
  /** Makes room for a store with nothing in it, and says where: JSON, given to `open` in every process. */
  config(): Promise<JsonValue>;
  /** After the test: lets go of what `config` made. */
  remove?(config: JsonValue): Promise<void>;
}

/** Data that an older version of the adapter left behind. Each is opened anew for every test, and closed like any other. */
export interface OldSchema {
  /** The older version, for the report. */
  version: string;
  /** What that version had written to the scope `upgrade`, batch by batch. `randomHistory(seed).batches` makes good ones. */
  written: readonly (readonly SpanRecord[])[];
  /** Opens a copy of its data with the adapter as it is now. */
  open(): Promise<OpenStore>;
}

/** What the adapter is held to. The harness decides, not what the store says of itself. */
export interface ConformanceFeatures {
  /** Everything survives `reopen` and, where `processes` is given, a `kill -9`. False where absent. */
  durable?: boolean;
  /** `deleteExecution`, `prune`, `redact` and `recompute` are there. True where absent. */
  administration?: boolean;
  /** `watch` is there. True where absent. */
  watch?: boolean;
  /** `forScope`, `close` and the store's own `prune` are there: bad scopes and calls after `close` are refused. True where absent. */
  inProcess?: boolean;
  /** Several processes may write at once and see each other's writes; needs `processes`. False where absent. */
  concurrentWriters?: boolean;
  /** What was deleted, redacted or pruned is in no byte of `bytesOf` any more. False where absent. */
  erasure?: boolean;
  /** Traces of 100,000 spans: a minute or more. False where absent. */
  large?: boolean;
}

/** What a test may need, in the words of the report. */
export type Need = keyof ConformanceFeatures | "processes" | "oldSchemas";

export interface ConformanceOptions {
  /** The adapter's name, for the report. */
  name: string;
  /** The adapter's version, for the report. */
  version?: string;
  runner: ConformanceRunner;
  open(): Promise<OpenStore>;
  features?: ConformanceFeatures;
  /** How many random histories are tried; 30 where absent. More find rarer faults. */
  histories?: number;
  processes?: TestedProcesses;
  /** How often a child process is killed while it writes; 5 where absent. */
  kills?: number;
  oldSchemas?: readonly OldSchema[];
  /** Called once, when the last test has ended; what it throws fails that test. See `formatReport`. */
  report?(report: ConformanceReport): void | Promise<void>;
}

/** Registers a test of the chapter. Each gets a store of its own. */
export type AddTest = (name: string, body: (opened: OpenStore) => Promise<void>) => void;

/** What a chapter of the kit works with. */
export interface Chapter {
  features: Required<ConformanceFeatures>;
  histories: number;
  kills: number;
  processes: TestedProcesses | undefined;
  oldSchemas: readonly OldSchema[];
  test: AddTest;
  /** Registers a test that is left out, and reported so, where the harness does not promise all of these. */
  needs(...needs: Need[]): AddTest;
  /** Adds a line to the report's figures: what was really tried. */
  figure(name: string, value: string | number): void;
  claim(claim: ClaimReport): void;
}

/** Registers chapters with the runner and sees to the report. */
export class Kit {
  private readonly options: ConformanceOptions;
  private readonly features: Required<ConformanceFeatures>;
  private readonly writer: ReportWriter;

  constructor(options: ConformanceOptions) {
    this.options = options;
    this.features = {
      durable: false,
      administration: true,
      watch: true,
      inProcess: true,
      concurrentWriters: false,
      erasure: false,
      large: false,
      ...options.features,
    };
    this.writer = new ReportWriter(options);
  }

  /** A chapter of which nothing is left is not registered, because runners refuse empty suites. */
  chapter(title: string, body: (chapter: Chapter) => void): void {
    const { runner, name, histories = 30, kills = 5, processes, oldSchemas = [] } = this.options;
    const tests: Parameters<AddTest>[] = [];
    const reported = this.writer.chapter(title);
    const test: AddTest = (...added) => {
      reported.expect(added[0]);
      tests.push(added);
    };
    body({
      ...{ features: this.features, histories, kills, processes, oldSchemas, test },
      needs: (...needs) => {
        const missing = needs.find((need) => !this.has(need));
        return missing === undefined ? test : (left) => reported.leftOut(left, missing);
      },
      figure: (figure, value) => this.writer.figure(figure, value),
      claim: (claim) => this.writer.claim(claim),
    });
    if (tests.length === 0) return;
    runner.describe(`${name}: ${title}`, () => {
      for (const [added, run] of tests) runner.test(added, () => this.run(reported, added, run));
    });
  }

  private has(need: Need): boolean {
    if (need === "processes") return this.options.processes !== undefined;
    if (need === "oldSchemas") return (this.options.oldSchemas ?? []).length > 0;
    if (need === "concurrentWriters" && this.options.processes === undefined) return false;
    return this.features[need];
  }

  private async run(
    reported: ReportedChapter,
    name: string,
    body: (opened: OpenStore) => Promise<void>,
  ): Promise<void> {
    const started = performance.now();
    let problem: unknown;
    let failed = false;
    try {
      const opened = await this.options.open();
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    } catch (error) {
      problem = error;
      failed = true;
    }
    reported.ended(name, performance.now() - started, failed ? messageOf(problem) : undefined);
    const report = this.writer.finished();
    if (report !== undefined) await this.options.report?.(report);
    if (failed) throw problem;
  }
}

/** The store of {@link TestedProcesses} in this process. */
export async function openHere({ module }: TestedProcesses, config: JsonValue): Promise<TraceStore> {
  const { open } = (await import(/* @vite-ignore */ module)) as {
    open(config: JsonValue): TraceStore | Promise<TraceStore>;
  };
  return open(config);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
