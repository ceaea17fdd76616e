import type { TracerEvent } from "./events.ts";
import type { ProblemReporter } from "./problems.ts";

/** How many events may wait for a slow consumer. */
const MAX_WAITING = 10_000;

/**
 * Hands events to the host in order, after the code that caused them has had its turn. A consumer that gives a promise is
 * awaited before the next event; one that throws, rejects or falls behind harms nobody but its own events.
 */
export class EventChannel {
  readonly #consume: (event: TracerEvent) => unknown;
  readonly #problems: ProblemReporter;
  readonly #waiting: TracerEvent[] = [];
  #draining: Promise<void> | undefined;

  constructor(consume: (event: TracerEvent) => unknown, problems: ProblemReporter) {
    this.#consume = consume;
    this.#problems = problems;
  }

  emit(event: TracerEvent | undefined): void {
    if (event === undefined) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#problems.report("callback_failed", "onEvent", "onEvent is too slow: events were left out.");
      return;
    }
    this.#waiting.push(event);
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
  }

  /** Resolves when every event so far has been handed over. */
  async drained(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        const consumed = this.#consume(event);
        if (consumed instanceof Promise) await consumed;
      } catch (error) {
        this.#problems.report("callback_failed", "onEvent", "onEvent failed; the next event follows.", error);
      }
    }
  }
}
