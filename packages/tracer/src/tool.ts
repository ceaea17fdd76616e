import type { SpanFacts } from "./facts.ts";

export interface ToolOptions {
  name: string;
  /** The arguments. */
  input?: unknown;
  attributes?: Record<string, unknown>;
}

export function toolFacts(_options: ToolOptions): Pick<SpanFacts, "kind"> {
  return { kind: "tool" };
}
