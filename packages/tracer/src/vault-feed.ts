import {
  CONTENT_FIELDS,
  type ContentVault,
  isModelContentEvent,
  isModelContentKey,
  type RawContent,
  type SpanRecord,
  type VaultAddress,
} from "@spanloom/model";
import { createPipeline } from "@spanloom/pipeline";
import { type Linked, LinkedSet } from "./linked-set.ts";
import { errorLabel, type ProblemReporter } from "./problems.ts";
import { settled, within } from "./wait.ts";

/** Spans with raw content. At any moment: accepted = kept + queued + all dropped. */
export interface VaultStats {
  accepted: number;
  kept: number;
  queued: number;
  dropped: Partial<Record<"queue_full" | "failed" | "deleted" | "shutdown", number>>;
}

interface Entry extends Linked {
  address: VaultAddress;
  content: RawContent;
  characters: number;
}

/** About 32 MB of memory at most. */
const MAX_CHARACTERS = 16_000_000;
/** What an entry takes beside its texts. */
const ENTRY_CHARACTERS = 300;
const PUT_TIMEOUT_MS = 10_000;

/** Hands raw content to the vault in the background, one span at a time and bounded; a vault that fails costs only that. */
export class VaultFeed {
  readonly #vault: ContentVault;
  readonly #scope: string;
  readonly #problems: ProblemReporter;
  /** Content of other instrumentations stands in attributes until a dialect moves it. */
  readonly #normalizer = createPipeline({ redaction: false, pricing: false });
  readonly #queue = new LinkedSet<Entry>();
  #characters = 0;
  #working: Promise<void> | undefined;
  #inHand: Entry | undefined;
  #closed = false;
  #accepted = 0;
  #kept = 0;
  readonly #dropped: VaultStats["dropped"] = {};

  constructor(vault: ContentVault, scope: string, problems: ProblemReporter) {
    this.#vault = vault;
    this.#scope = scope;
    this.#problems = problems;
  }

  /** Takes a span as it was before redaction. `cleaned`: as the store has it, under the ids that readers know. */
  put(raw: SpanRecord, cleaned: SpanRecord): void {
    const { executionId, traceId, spanId } = cleaned;
    // Of a trace that nobody has named, nobody knows yet with which execution it will be deleted.
    if (executionId === traceId || !mayHoldContent(raw)) return;
    const content = contentOf(this.#normalizer.clean(raw));
    if (content === undefined) return;
    const characters = ENTRY_CHARACTERS + JSON.stringify(content).length;
    this.#accepted++;
    const full = this.#characters + characters > MAX_CHARACTERS;
    if (this.#closed || full) {
      this.#drop(this.#closed ? "shutdown" : "queue_full", 1);
      return;
    }
    this.#characters += characters;
    const address = { scope: this.#scope, executionId, traceId, spanId };
    this.#queue.add({ address, content, characters, before: undefined, after: undefined });
    this.#working ??= this.#work();
  }

  stats(): VaultStats {
    const queued = this.#queue.size + (this.#inHand === undefined ? 0 : 1);
    return { accepted: this.#accepted, kept: this.#kept, queued, dropped: { ...this.#dropped } };
  }

  /** True when nothing waits any more. */
  flush(timeoutMs: number): Promise<boolean> {
    return settled(this.#working ?? Promise.resolve(), timeoutMs);
  }

  close(): void {
    this.#closed = true;
    this.#forget(() => true, "shutdown");
  }

  /** Rejects when the vault could not delete. */
  async deleteExecution(executionId: string): Promise<void> {
    this.#forget(({ address }) => address.executionId === executionId, "deleted");
    await this.#vault.deleteExecution(this.#scope, executionId);
  }

  async #work(): Promise<void> {
    for (let [entry] = this.#queue; entry !== undefined; [entry] = this.#queue) {
      this.#queue.delete(entry);
      this.#inHand = entry;
      const kept = await this.#keep(entry);
      this.#inHand = undefined;
      this.#characters -= entry.characters;
      if (kept) this.#kept++;
      else this.#drop("failed", 1);
    }
    this.#working = undefined;
  }

  async #keep({ address, content }: Entry): Promise<boolean> {
    try {
      const put = Promise.resolve(this.#vault.put(address, content)).then(() => true);
      put.catch(() => undefined);
      if ((await within(put, PUT_TIMEOUT_MS, false)) === true) return true;
      this.#report("gave no answer");
    } catch (error) {
      this.#report(errorLabel(this.#problems.clean(error)));
    }
    return false;
  }

  /** Without the error itself: it is about content that nothing has redacted. */
  #report(why: string): void {
    this.#problems.report("delivery_failed", "vault", `The vault did not keep raw content (${why}).`);
  }

  #forget(of: (entry: Entry) => boolean, reason: "deleted" | "shutdown"): void {
    for (const entry of this.#queue) {
      if (!of(entry)) continue;
      this.#queue.delete(entry);
      this.#characters -= entry.characters;
      this.#drop(reason, 1);
    }
  }

  #drop(reason: keyof VaultStats["dropped"], count: number): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
  }
}

function mayHoldContent(raw: SpanRecord): boolean {
  return (
    contentOf(raw) !== undefined ||
    Object.keys(raw.attributes).some(isModelContentKey) ||
    raw.events.some(({ name }) => isModelContentEvent(name))
  );
}

/** What there is of it: a host that captures no content keeps none here either. */
function contentOf(record: SpanRecord): RawContent | undefined {
  const found: RawContent = {};
  for (const field of CONTENT_FIELDS) {
    const content = record[field];
    if (content !== undefined && content.state !== "not_captured") found[field] = content;
  }
  return Object.keys(found).length === 0 ? undefined : found;
}
