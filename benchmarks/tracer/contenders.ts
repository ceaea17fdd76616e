import type { Entry } from "./cost-per-span.ts";

const BARE = "bare OpenTelemetry, callbacks";
const BARE_SYNC = "bare OpenTelemetry, synchronous callbacks";
const BARE_BY_HAND = "bare OpenTelemetry, by hand";
const OURS = "spanloom, callbacks";

const bare = (name: string, variant = ""): Entry => ({ name, file: "tracer/bare-otel.ts", variant });
const ours = (name: string, base: string, variant = ""): Entry => ({
  name,
  file: "tracer/spanloom.ts",
  variant,
  base,
});

/** Our rows that have a budget, with payload S. */
export const OUR_STYLES: readonly string[] = [OURS, "spanloom, synchronous callbacks", "spanloom, by hand"];

const OWN: readonly Entry[] = [
  { name: "no tracer", file: "tracer/no-tracer.ts" },
  bare(BARE),
  ours(OURS, BARE),
  ours("spanloom, callbacks, redaction off", BARE, "no-redaction"),
];

const STYLES: readonly Entry[] = [
  bare(BARE_SYNC, "sync"),
  ours("spanloom, synchronous callbacks", BARE_SYNC, "sync"),
  bare(BARE_BY_HAND, "by-hand"),
  ours("spanloom, by hand", BARE_BY_HAND, "by-hand"),
];

const PEERS: readonly Entry[] = [
  { name: "openinference, callbacks", file: "peers/openinference.mjs", base: BARE },
  { name: "traceloop, callbacks", file: "peers/traceloop.mjs", base: BARE },
  { name: "langfuse, callbacks", file: "peers/langfuse.mjs", base: BARE },
  { name: "langfuse, callbacks, with mask", file: "peers/langfuse.mjs", variant: "mask", base: BARE },
];

const PEERS_BY_HAND: readonly Entry[] = [
  { name: "langfuse, by hand", file: "peers/langfuse.mjs", variant: "by-hand", base: BARE_BY_HAND },
];

/** All that record ten attributes a span. */
export function smallContenders(withPeers: boolean): Entry[] {
  return [...OWN, ...(withPeers ? PEERS : []), ...STYLES, ...(withPeers ? PEERS_BY_HAND : [])];
}

/** Those that record content, too. */
export function contentContenders(withPeers: boolean): Entry[] {
  return [...OWN, ...(withPeers ? PEERS : [])];
}

/** What stands behind the tracer, and its disk spool. */
export function deliveryContenders(withPeers: boolean): Entry[] {
  return [
    bare(BARE),
    ...(withPeers ? [{ ...bare("bare OpenTelemetry, OTLP/HTTP exporter", "otlp"), base: BARE }] : []),
    ours("spanloom, no store", BARE),
    ours("spanloom, SQLite", BARE, "sqlite"),
    ours("spanloom, SQLite and OTLP", BARE, "sqlite-otlp"),
    ours("spanloom, no store, batched disk spool", BARE, "batched"),
    ours("spanloom, no store, immediate disk spool", BARE, "immediate"),
  ];
}

/** What the figures are figures of. */
export const NOTES: readonly string[] = [
  "An execution: a workflow, 7 nodes, in each a model call and a tool: 22 spans. S: ten attributes a span, model and usage on calls. M, L: also 4 KB and 100 KB of content on each call and tool (14 of 22 spans).",
  "CPU of the main thread until all is delivered, each contender in its own process, rounds interleaved. `no tracer` is the workload itself and part of every row.",
  "bare OpenTelemetry: context, batch processor, no-op exporter; content as JSON in gen_ai attributes. No redaction, no prices, no store.",
  "spanloom: redaction of every field, prices, hashes of content, states and sums for a store that takes batches and drops them. Content travels as values.",
  "openinference: attributes of its conventions, batch processor, no-op exporter. It can hide whole fields; no redaction, prices or store.",
  "traceloop: its processor with a no-op exporter; it serialises inputs and results. No redaction, prices or store.",
  "langfuse: its processor with a no-op exporter; it serialises metadata, inputs and outputs, and looks for media. The mask is one pattern for card numbers, from its documentation, over input, output and metadata. Prices and store are its server's.",
  "Loop delays are wall time: where other work wants the processors, they are that work's, too, and hit whoever does most. Read them on a quiet machine.",
];
