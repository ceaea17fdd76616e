import type { JsonValue, TokenUsage } from "@spanloom/model";
import { isObject, type JsonObject, readCount } from "../values.ts";

const INPUT = ["input", "prompt_tokens", "promptTokens", "input_tokens", "inputTokens"];
const OUTPUT = ["output", "completion_tokens", "completionTokens", "output_tokens", "outputTokens"];
const TOTAL = ["total", "total_tokens", "totalTokens"];

/** Parts that a provider's API counts inside the input or the output. */
const INSIDE: readonly (readonly [field: "cachedInput" | "cacheWrite" | "reasoning", ...path: string[]])[] = [
  ["cachedInput", "prompt_tokens_details", "cached_tokens"],
  ["cachedInput", "input_tokens_details", "cached_tokens"],
  ["cachedInput", "input_token_details", "cache_read"],
  ["cachedInput", "cachedInputTokens"],
  ["cacheWrite", "input_token_details", "cache_creation"],
  ["reasoning", "completion_tokens_details", "reasoning_tokens"],
  ["reasoning", "output_tokens_details", "reasoning_tokens"],
  ["reasoning", "output_token_details", "reasoning"],
  ["reasoning", "reasoningTokens"],
];

type Beside = { in: number; out: number; cachedInput?: number; cacheWrite?: number; reasoning?: number };

/**
 * `usage_details` are whatever the caller put there. Langfuse counts every `input_*` beside `input` and every `output_*`
 * beside `output`, as Anthropic does with its `cache_*_input_tokens`; the nested details of OpenAI's API are inside. A
 * total that input and output make up alone says that the parts beside them are inside, too. `whole` is false where
 * something was not read or was added to a sum without a field of its own.
 */
export function readUsageDetails(details: JsonObject): { usage: TokenUsage; whole: boolean } | undefined {
  const reader = new DetailsReader(details);
  const input = reader.first(INPUT);
  const output = reader.first(OUTPUT);
  const total = reader.first(TOTAL);
  const usage: TokenUsage = {};
  for (const [field, ...path] of INSIDE) usage[field] ??= reader.at(path);
  const beside = readBeside(reader);
  const inside = total !== undefined && total === (input ?? 0) + (output ?? 0);
  const all: TokenUsage = {
    input: input === undefined && beside.in === 0 ? undefined : (input ?? 0) + (inside ? 0 : beside.in),
    output: output === undefined && beside.out === 0 ? undefined : (output ?? 0) + (inside ? 0 : beside.out),
    cachedInput: beside.cachedInput ?? usage.cachedInput,
    cacheWrite: beside.cacheWrite ?? usage.cacheWrite,
    reasoning: beside.reasoning ?? usage.reasoning,
    total,
  };
  const known = Object.fromEntries(Object.entries(all).filter(([, count]) => count !== undefined));
  return Object.keys(known).length === 0 ? undefined : { usage: known, whole: reader.whole };
}

function readBeside(reader: DetailsReader): Beside {
  const beside: Beside = { in: 0, out: 0 };
  for (const name of reader.unread()) {
    const input = name.startsWith("input_") || /^cache_(read|creation)_input_tokens$/.test(name);
    if (!input && !name.startsWith("output_")) continue;
    const field = fieldOf(name);
    const count = reader.at([name]);
    if (count === undefined) continue;
    beside[input ? "in" : "out"] += count;
    if (field === undefined) reader.whole = false;
    else beside[field] = (beside[field] ?? 0) + count;
  }
  return beside;
}

function fieldOf(name: string): "cachedInput" | "cacheWrite" | "reasoning" | undefined {
  if (/cache_(creation|write)/.test(name)) return "cacheWrite";
  if (/cached?_|_cached?$/.test(name)) return "cachedInput";
  return name.startsWith("output_reasoning") ? "reasoning" : undefined;
}

/** Reads counts and remembers which, so that what nobody read is known. */
class DetailsReader {
  #whole = true;
  readonly #details: JsonObject;
  readonly #read = new Set<string>();

  constructor(details: JsonObject) {
    this.#details = details;
  }

  get whole(): boolean {
    return this.#whole && this.unread().length === 0;
  }

  set whole(value: boolean) {
    this.#whole = value;
  }

  first(names: readonly string[]): number | undefined {
    for (const name of names) {
      const count = this.at([name]);
      if (count !== undefined) return count;
    }
    return undefined;
  }

  at([name = "", member]: readonly string[]): number | undefined {
    const value: JsonValue | undefined = this.#details[name];
    if (member === undefined) return this.#count(name, value);
    if (!isObject(value)) return undefined;
    const count = readCount(value[member]);
    // Audio and other parts of the details have no field: the whole stays.
    if (count !== undefined && Object.keys(value).length === 1) this.#read.add(name);
    return count;
  }

  unread(): string[] {
    return Object.keys(this.#details).filter((name) => !this.#read.has(name));
  }

  #count(name: string, value: JsonValue | undefined): number | undefined {
    const count = readCount(value);
    if (count !== undefined) this.#read.add(name);
    return count;
  }
}
