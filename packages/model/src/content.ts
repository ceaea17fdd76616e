import type { JsonValue } from "./json.ts";

/**
 * What of a prompt, response, tool argument or state stands here:
 * - `captured`: all of it, as it was
 * - `preview`: the beginning; the whole can be asked for with `getSpan`
 * - `redacted`: all of it but what redaction took out (see `redactions`)
 * - `truncated`: the beginning; the rest was never stored
 * - `not_captured`: nothing, the host's capture policy kept it out
 * - `not_permitted`: nothing, the caller may not see it
 * - `missing`: nothing; it was kept outside the store (see `ref`) and cannot be found there any more
 */
export type CaptureState =
  | "captured"
  | "preview"
  | "redacted"
  | "truncated"
  | "not_captured"
  | "not_permitted"
  | "missing";

/** How often one redaction rule took something out. */
export interface Redaction {
  rule: string;
  count: number;
}

interface ContentBase {
  state: CaptureState;
  /** Why the state is not `captured`, as a short sentence or a policy's name. */
  reason?: string;
  /** SHA-256 in hex of the canonical JSON of the cleaned, uncut value: equal contents can be told apart from different ones. */
  hash?: string;
  /** Length of the cleaned, uncut value in UTF-16 code units of its text or JSON. */
  length?: number;
  redactions?: Redaction[];
  /**
   * Stands in a stored record where the value is kept outside of it. Readers get the value instead, or the state `missing`.
   */
  ref?: ContentRef;
}

/** A value outside its record: the JSON of `text`, `json` and `messages`, found by what it is. */
export interface ContentRef {
  /** SHA-256 of its bytes, in hex. */
  sha256: string;
  /** Its length in UTF-16 code units. */
  length: number;
}

export interface TextContent extends ContentBase {
  format: "text";
  text?: string;
}

export interface JsonContent extends ContentBase {
  format: "json";
  json?: JsonValue;
  /** A beginning of the JSON text, where `state` is `preview` or `truncated`. */
  text?: string;
}

export interface MessagesContent extends ContentBase {
  format: "messages";
  messages?: Message[];
}

/** Content that travels beside a span, never inside its OpenTelemetry attributes. */
export type Content = TextContent | JsonContent | MessagesContent;

/** One chat message in the shape of OpenTelemetry's GenAI `gen_ai.input.messages` / `gen_ai.output.messages`. */
export interface Message {
  /** `system`, `user`, `assistant` or `tool`; others are kept as they came. */
  role: string;
  parts: MessagePart[];
  name?: string;
  finishReason?: string;
}

export type MessagePart =
  | { type: "text"; content: string }
  | { type: "reasoning"; content: string }
  | { type: "tool_call"; id?: string; name: string; arguments?: JsonValue }
  | { type: "tool_call_response"; id?: string; response?: JsonValue }
  | { type: "media"; modality?: string; mimeType?: string; uri?: string; sizeBytes?: number }
  /** A part of a kind that we do not know, kept whole. */
  | { type: "other"; value: JsonValue };
