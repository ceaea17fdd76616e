import { types } from "node:util";
import type { SpanRecord } from "@spanloom/model";
import { endEvent, startEvent, type TracerEvent } from "./events.ts";
import type { ProblemReporter } from "./problems.ts";

/** How many events may wait for a slow consumer. */
const MAX_WAITING = 10_000;
/** After so many milliseconds of a consumer's own work, others have their turn. */
const TURN_MS = 10;

/** Counters of `onEvent`. At any moment: emitted = delivered + failed + waiting + dropped. */
export interface EventStats {
  emitted: number;
  /** Taken by the consumer. */
  delivered: number;
  /** The consumer threw or rejected. */
  failed: number;
  /** Not handed over yet, or the consumer's promise has not settled. */
  waiting: number;
  /** Left out because the consumer was too slow. */
  dropped: number;
}

/**
 * Hands events to the host in order, after the code that caused them has had its turn. A consumer that gives a promise is
 * awaited before the next event; one that throws, rejects or falls behind harms nobody but its own events.
 */
export class EventChannel {
  readonly #consume: (event: TracerEvent) => unknown;
  readonly #problems: ProblemReporter;
  readonly #stats = { emitted: 0, delivered: 0, failed: 0, dropped: 0 };
  #waiting: TracerEvent[] = [];
  /** Everything before it was handed over. */
  #head = 0;
  #draining: Promise<void> | undefined;

  constructor(consume: (event: TracerEvent) => unknown, problems: ProblemReporter) {
    this.#consume = consume;
    this.#problems = problems;
  }

  /** A span started, or was ended by the host: its cleaned record. */
  emit(what: "start" | "end", record: SpanRecord): void {
    const event = what === "start" ? startEvent(record) : endEvent(record);
    if (event === undefined) return;
    this.#stats.emitted++;
    if (this.#waiting.length - this.#head >= MAX_WAITING) this.#drop();
    else this.#waiting.push(event);
    this.#draining ??= this.#drain();
  }

  /** Resolves when every event so far has been handed over. */
  async drained(): Promise<void> {
    await this.#draining;
  }

  stats(): EventStats {
    const { emitted, delivered, failed, dropped } = this.#stats;
    return { emitted, delivered, failed, dropped, waiting: emitted - delivered - failed - dropped };
  }

  #drop(): void {
    this.#stats.dropped++;
    this.#problems.report(
      "callback_failed",
      "onEvent",
      "onEvent is too slow: events were left out; stats() counts them.",
    );
  }

  async #drain(): Promise<void> {
    await nextTurn();
    let turnEnds = performance.now() + TURN_MS;
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      try {
        const consumed = this.#consume(event);
        if (types.isPromise(consumed)) await consumed;
        this.#stats.delivered++;
      } catch (error) {
        this.#stats.failed++;
        this.#problems.report("callback_failed", "onEvent", "onEvent failed; the next event follows.", error);
      }
      if (performance.now() < turnEnds) continue;
      await nextTurn();
      turnEnds = performance.now() + TURN_MS;
    }
    // At once, not when the promise settles: an event that comes between would wait for the next one.
    this.#draining = undefined;
  }

  #next(): TracerEvent | undefined {
    const event = this.#waiting[this.#head];
    if (event === undefined) {
      this.#waiting = [];
      this.#head = 0;
      return undefined;
    }
    this.#head++;
    if (this.#head > MAX_WAITING) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
