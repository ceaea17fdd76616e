import type { SpanRecord } from "@spanloom/model";
import type { Listeners } from "./listeners.ts";
import type { LiveSpan } from "./otel/store-span-processor.ts";
import type { ProblemReporter } from "./problems.ts";

/** What a listener is told of: a span that started, ended, or has news after its end. */
interface Notice {
  record: SpanRecord;
  live: LiveSpan;
  amended: boolean;
}

/** Only a host that starts 50,000 spans before it lets Node read a file gets there. */
const MAX_EARLY = 100_000;

/** Listeners whose code is loaded when there are any: most hosts have none. What they missed until then they are told in order. */
export class LateListeners {
  /** Resolves when they listen. Never rejects. */
  readonly ready: Promise<void>;
  readonly #problems: ProblemReporter;
  #listeners: Listeners | undefined;
  #early: Notice[] | undefined = [];
  #stopped = false;

  constructor(load: () => Promise<Listeners>, problems: ProblemReporter) {
    this.#problems = problems;
    this.ready = this.#load(load);
  }

  tell(record: SpanRecord, live: LiveSpan, amended: boolean): void {
    if (this.#listeners !== undefined) this.#listeners.tell(record, live, amended);
    else if (this.#early !== undefined && this.#early.length < MAX_EARLY)
      this.#early.push({ record, live, amended });
    else this.#fail();
  }

  /** Resolves when everything so far has been told. */
  async drained(): Promise<void> {
    await this.ready;
    await this.#listeners?.drained();
  }

  eventStats(): ReturnType<Listeners["eventStats"]> {
    return this.#listeners?.eventStats();
  }

  stop(): void {
    this.#stopped = true;
    this.#listeners?.stop();
  }

  async #load(load: () => Promise<Listeners>): Promise<void> {
    const early = this.#early ?? [];
    try {
      const listeners = await load();
      for (const { record, live, amended } of early) listeners.tell(record, live, amended);
      this.#listeners = listeners;
      if (this.#stopped) listeners.stop();
    } catch (error) {
      this.#fail(error);
    }
    this.#early = undefined;
  }

  #fail(error?: unknown): void {
    this.#problems.report("internal", "listeners", "Callbacks were not told of a span.", error);
  }
}
