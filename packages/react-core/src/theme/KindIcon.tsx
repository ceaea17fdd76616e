import type { SpanKind } from "@spanloom/model";
import type { ReactElement } from "react";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

/** A span kind as shape and colour, with the kind's name for readers who see neither. */
export function KindIcon({ kind }: { kind: SpanKind }): ReactElement {
  const t = useMessages(coreMessages);
  return (
    <svg className={`sl-kind sl-kind-${kind}`} viewBox="0 0 16 16" role="img" aria-label={t(`kind.${kind}`)}>
      <path d={SHAPES[kind].path} {...(SHAPES[kind].outline ? outline : filled)} />
    </svg>
  );
}

/** The CSS colour of a kind, for charts and bars. */
export function kindColor(kind: SpanKind): string {
  return `var(--spanloom-kind-${kind})`;
}

const outline = {
  fill: "none",
  stroke: "currentColor",
  strokeWidth: 1.6,
  strokeLinejoin: "round",
  strokeLinecap: "round",
} as const;
const filled = { fill: "currentColor" } as const;

/** One silhouette for each kind, so that no two are told apart by colour alone. */
const SHAPES: Record<SpanKind, { path: string; outline?: true }> = {
  workflow: { path: "M8 2 14 8 8 14 2 8Z", outline: true },
  node: { path: "M3.5 3.5h9v9h-9Z", outline: true },
  agent: { path: "M8 2.5 13.5 12.5h-11Z", outline: true },
  llm: { path: "M8 1.5 14.5 8 8 14.5 1.5 8Z" },
  tool: {
    path: "M10.5 2a3.5 3.5 0 0 0-3.3 4.7L2 11.9 4.1 14l5.2-5.2A3.5 3.5 0 0 0 14 5.5L11.8 7 9.6 6.4 9 4.2 11.2 2.1Z",
  },
  retriever: { path: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.4 10.4 14 14", outline: true },
  embedding: { path: "M3 2h3v3H3Zm7 0h3v3h-3ZM3 6.5h3v3H3Zm7 0h3v3h-3ZM3 11h3v3H3Zm7 0h3v3h-3Z" },
  cache: {
    path: "M8 2c3 0 5 .9 5 2v8c0 1.1-2 2-5 2s-5-.9-5-2V4c0-1.1 2-2 5-2ZM3 4.2c.6 1.9 9.4 1.9 10 0M3 8.200c.6 1.9 9.4 1.9 10 0",
    outline: true,
  },
  http: { path: "M2.5 8h11M9.5 4l4 4-4 4", outline: true },
  internal: { path: "M8 5.200a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.600Z" },
};
