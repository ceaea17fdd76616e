import { SpanloomError } from "@spanloom/model";
import type { Send } from "../deliver/attempt.ts";

export interface OtlpOptions {
  /** The collector's traces endpoint, such as `http://localhost:4318/v1/traces`. */
  url: string;
  headers?: Record<string, string>;
  /** Sends inputs, outputs and state along, redacted. Default false. */
  content?: boolean;
  /** Default what `OTEL_EXPORTER_OTLP_COMPRESSION` says, else none. */
  compression?: "gzip" | "none";
  /** Default the global one. */
  fetch?: typeof fetch;
}

/** Posts spans to a collector. Its code is loaded when the first batch is sent: most hosts need none. */
export function otlpSender(options: OtlpOptions): Send {
  let sender: Send | undefined;
  return async (spans, signal) => {
    sender ??= (await import("./otlp-exporter.ts")).createOtlpSender(options);
    return sender(spans, signal);
  };
}

export function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:/i.test(url);
}

/** Throws `invalid_argument` for a URL that nothing can be posted to. */
export function checkOtlpUrl(url: string): void {
  if (isHttpUrl(url)) return;
  throw new SpanloomError("invalid_argument", {
    what: "The `otlp.url` is not an http or https URL.",
    fix: "Give the full traces endpoint, such as http://localhost:4318/v1/traces.",
  });
}
