import type { SpanKind } from "@spanloom/model";
import type { RedactionPlace } from "./host-rules.ts";
import type { RedactionLimits } from "./options.ts";
import { Tally, type TokenOf } from "./tally.ts";

/** So few characters take no time worth asking the clock for. */
const CHARACTERS_BETWEEN_LOOKS = 16_384;

export interface ProgressOptions {
  limits: Required<RedactionLimits>;
  tokenOf: TokenOf | undefined;
  /** The host's rules may take any time: look at the clock for each text. */
  watched: boolean;
  /** Milliseconds. */
  now: () => number;
}

/** What cleaning one field has done so far, and what it may still do. */
export class Progress {
  readonly tally: Tally;
  readonly place: RedactionPlace;
  /** A text was cut or a value withheld for its size. */
  cut = false;
  /** Time ran out, and what was not read was withheld. */
  late = false;
  values = 0;
  parses = 0;
  readonly #options: ProgressOptions;
  #characters = 0;
  #nextLook = 0;
  #started: number | undefined;

  constructor(kind: SpanKind, field: string, options: ProgressOptions) {
    this.tally = new Tally(options.tokenOf);
    this.place = { field, key: undefined, kind };
    this.#options = options;
    this.enter(field);
  }

  /** The same work on the record's next field, which has a budget of its own. */
  enter(field: string): void {
    this.place.field = field;
    this.place.key = undefined;
    this.values = 0;
    this.#characters = 0;
    this.#started = undefined;
    this.#plan();
  }

  /** Whether a text of this length may be read; else it is to be withheld. */
  mayRead(length: number): boolean {
    this.#characters += length;
    return this.#characters < this.#nextLook || this.#look();
  }

  /** Whether the time for the field is not over. */
  inTime(): boolean {
    return this.#started === undefined || this.#look();
  }

  #look(): boolean {
    const { limits, now } = this.#options;
    if (this.#characters > limits.fieldCharacters) {
      this.cut = true;
      return false;
    }
    const time = now();
    this.#started ??= time;
    if (time - this.#started > limits.fieldMs) {
      this.late = true;
      return false;
    }
    this.#plan();
    return true;
  }

  #plan(): void {
    const { watched, limits } = this.#options;
    this.#nextLook = watched
      ? 0
      : Math.min(this.#characters + CHARACTERS_BETWEEN_LOOKS, limits.fieldCharacters);
  }
}
