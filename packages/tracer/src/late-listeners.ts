import type { Listeners } from "./listeners.ts";
import type { ProblemReporter } from "./problems.ts";

type Notice = Parameters<Listeners["tell"]>;

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

  tell(...notice: Notice): void {
    if (this.#listeners !== undefined) this.#listeners.tell(...notice);
    else if (this.#early !== undefined && this.#early.length < MAX_EARLY) this.#early.push(notice);
    else this.#fail();
  }

  /** Once `ready`. False when something has not been told after that time, or nobody listens. */
  async flush(timeoutMs: number): Promise<boolean> {
    return this.#listeners?.flush(timeoutMs) ?? false;
  }

  async deleteExecution(executionId: string): Promise<void> {
    await this.ready;
    await this.#listeners?.deleteExecution(executionId);
  }

  stats(): ReturnType<Listeners["stats"]> {
    return this.#listeners?.stats() ?? {};
  }

  stop(): void {
    this.#stopped = true;
    this.#listeners?.stop();
  }

  async #load(load: () => Promise<Listeners>): Promise<void> {
    try {
      const listeners = await load();
      for (const notice of this.#early ?? []) listeners.tell(...notice);
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
