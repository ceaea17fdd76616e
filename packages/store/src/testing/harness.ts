import type { ScopedStore, SpanSink, TraceReader } from "@spanloom/model";

/** What the kit needs of a test runner. Vitest, Jest and `node:test` have it as it is. */
export interface ConformanceRunner {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => Promise<void>): unknown;
}

/** One tenant's handle, as the adapter gives it. A reader behind a network has no administration. */
export type TestedStore = SpanSink &
  TraceReader &
  Partial<Pick<ScopedStore, "deleteExecution" | "recompute">>;

/** A store with nothing in it, opened for one test. */
export interface OpenStore {
  forScope(scope: string): TestedStore;
  /** Ends the test: closes the store and lets go of its data. Always called, and again after a test that closed it. */
  close(): Promise<void>;
  /** Closes the store and opens it again over the same data; `forScope` then gives handles of the new one. */
  reopen?(): Promise<void>;
}

/** What the adapter is held to. The harness decides, not what the store says of itself. */
export interface ConformanceFeatures {
  /** Everything survives `reopen`. False where absent. */
  durable?: boolean;
  /** `deleteExecution` and `recompute` are there. True where absent. */
  administration?: boolean;
  /** `watch` is there. True where absent. */
  watch?: boolean;
  /** `forScope` and `close` are the store's own: bad scopes and calls after `close` are refused. True where absent. */
  inProcess?: boolean;
}

export interface ConformanceOptions {
  /** The adapter's name, for the report. */
  name: string;
  runner: ConformanceRunner;
  open(): Promise<OpenStore>;
  features?: ConformanceFeatures;
  /** How many random histories are tried; 30 where absent. More find rarer faults. */
  histories?: number;
}

/** What a chapter of the kit works with. */
export interface Chapter {
  features: Required<ConformanceFeatures>;
  histories: number;
  test(name: string, body: (opened: OpenStore) => Promise<void>): void;
}

/** Registers a chapter; one of which the features leave nothing is left out, because runners refuse empty suites. */
export function describeChapter(
  options: ConformanceOptions,
  title: string,
  body: (chapter: Chapter) => void,
): void {
  const { runner, open, histories = 30 } = options;
  const features = {
    durable: false,
    administration: true,
    watch: true,
    inProcess: true,
    ...options.features,
  };
  const tests: Parameters<Chapter["test"]>[] = [];
  body({ features, histories, test: (...test) => tests.push(test) });
  if (tests.length === 0) return;
  runner.describe(`${options.name}: ${title}`, () => {
    for (const [name, run] of tests) {
      runner.test(name, async () => {
        const opened = await open();
        try {
          await run(opened);
        } finally {
          await opened.close();
        }
      });
    }
  });
}
