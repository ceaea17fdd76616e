import { promisify } from "node:util";
import { gzip as gzipThen } from "node:zlib";
import { SpanloomError } from "@spanloom/model";
import { encodeOtlp } from "@spanloom/model/otlp";
import type { Send } from "../deliver/attempt.ts";
import type { OtlpOptions } from "./otlp-options.ts";

/** On a thread of its own. */
const gzip = promisify(gzipThen);

/** A failed post, with the time that the collector asked to be left alone. */
class OtlpError extends SpanloomError {
  readonly retryAfterMs: number | undefined;

  constructor(status: number, retryAfter: string | null) {
    super("network_failed", {
      what: `The collector answered ${status}.`,
      fix: status === 404 ? "Check that the URL ends in /v1/traces." : undefined,
    });
    this.retryAfterMs = retryAfterMs(retryAfter);
  }
}

/**
 * Posts ended spans as OTLP/JSON. Resolves when the collector took them or refused them for good; rejects when it may
 * take them later. Source: OTLP specification 1.9, "OTLP/HTTP Response" and "Retryable Response Codes".
 */
export function createOtlpSender(options: OtlpOptions): Send {
  const { url, content = false, compression = compressionOf(process.env) } = options;
  const headers: Record<string, string> = { ...options.headers, "content-type": "application/json" };
  const packs = compression === "gzip";
  if (packs) headers["content-encoding"] = "gzip";
  const post = options.fetch ?? fetch;
  return async (spans, signal) => {
    const text = JSON.stringify(encodeOtlp(spans, { content }));
    const sent = packs ? await gzip(text) : text;
    const response = await post(url, { method: "POST", headers, body: sent, signal });
    const body = await response.text();
    if (response.ok) return { rejected: [], rejectedUnnamed: rejectedCount(body) };
    // 400 and 413 speak of the payload: the caller looks for the span that is to blame.
    if (response.status === 400 || response.status === 413) {
      throw new SpanloomError(response.status === 400 ? "invalid_record" : "limit_exceeded", {
        what: `The collector answered ${response.status}.`,
      });
    }
    throw new OtlpError(response.status, response.headers.get("retry-after"));
  };
}

/** Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter". */
function compressionOf(env: NodeJS.ProcessEnv): string | undefined {
  return env.OTEL_EXPORTER_OTLP_TRACES_COMPRESSION?.trim() || env.OTEL_EXPORTER_OTLP_COMPRESSION?.trim();
}

/** A partial success says how many spans were refused, not which. */
function rejectedCount(body: string): number {
  try {
    const answer: unknown = JSON.parse(body);
    const partial = member(answer, "partialSuccess") ?? member(answer, "partial_success");
    const count = Number(member(partial, "rejectedSpans") ?? member(partial, "rejected_spans") ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    // Collectors may answer with nothing, or with protobuf.
    return 0;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** Seconds or an HTTP date. Source: RFC 9110, section 10.2.3. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null || header.trim() === "") return undefined;
  const seconds = Number(header);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(millis) ? Math.max(0, millis) : undefined;
}
