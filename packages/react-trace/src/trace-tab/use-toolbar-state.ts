import { useState } from "react";
import type { SpanFilters } from "../layout/visible-rows.ts";

/** What the reader looks for. It outlives a change of execution: the same question is often asked of the next one. */
export interface ToolbarState {
  text: string;
  setText(text: string): void;
  filters: SpanFilters;
  setFilters(filters: SpanFilters): void;
}

export const noFilters: SpanFilters = { errorsOnly: false, aiOnly: false };

export function useToolbarState(): ToolbarState {
  const [text, setText] = useState("");
  const [filters, setFilters] = useState(noFilters);
  return { text, setText, filters, setFilters };
}
