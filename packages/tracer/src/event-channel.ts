import type { SpanRecord } from "@spanloom/model";
import type { TracerEvent } from "./events.ts";
import type { ProblemReporter } from "./problems.ts";

type Make = (record: SpanRecord) => TracerEvent | undefined;

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
  /** Records that came before `#events` was there. */
  readonly #early: { what: "start" | "end"; record: SpanRecord }[] = [];
  #events: { start: Make; end: Make } | undefined;
  #draining: Promise<void> | undefined;

  constructor(consume: (event: TracerEvent) => unknown, problems: ProblemReporter) {
    this.#consume = consume;
    this.#problems = problems;
  }

  /** A span started, or was ended by the host: its cleaned record. */
  emit(what: "start" | "end", record: SpanRecord): void {
    if (this.#waiting.length + this.#early.length >= MAX_WAITING) {
      this.#problems.report("callback_failed", "onEvent", "onEvent is too slow: events were left out.");
      return;
    }
    if (this.#events === undefined) this.#early.push({ what, record });
    else this.#add(this.#events[what](record));
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
  }

  /** Resolves when every event so far has been handed over. */
  async drained(): Promise<void> {
    await this.#draining;
  }

  #add(event: TracerEvent | undefined): void {
    if (event !== undefined) this.#waiting.push(event);
  }

  /** What makes events of records is loaded by the first of them: most hosts want none. Never rejects. */
  async #load(): Promise<void> {
    try {
      const { startEvent: start, endEvent: end } = await import("./events.ts");
      const events = { start, end };
      this.#events = events;
      for (const { what, record } of this.#early.splice(0)) this.#add(events[what](record));
    } catch (error) {
      this.#early.length = 0;
      this.#problems.report("internal", "onEvent", "Events could not be made of spans.", error);
    }
  }

  async #drain(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#events === undefined) await this.#load();
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
