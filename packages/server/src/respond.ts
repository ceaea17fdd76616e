import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { ExecutionSummary } from "@spanloom/model";
import { wireExecution } from "@spanloom/model/http";
import type { Call } from "./call.ts";
import { SECURITY_HEADERS } from "./problems.ts";

const packGzip = promisify(gzip);
const packBrotli = promisify(brotliCompress);
/** Below this, packing costs more than it saves. */
const PACKED_FROM = 1_024;

const HEADERS = {
  "content-type": "application/json",
  "cache-control": "private, no-cache",
  vary: "Accept, Accept-Encoding, Authorization, Cookie",
  ...SECURITY_HEADERS,
};

/** JSON with an ETag (of `tag`, else of the body): 304 where the caller has it already, packed where that is wanted. */
export async function respondJson(call: Call, value: unknown, tag?: string): Promise<Response> {
  const body = JSON.stringify(value);
  const etag = tag ?? tagOf(body);
  if (isKnown(call.request, etag)) return notModified(etag);
  const headers = { ...HEADERS, etag };
  const encoding = body.length < PACKED_FROM ? "identity" : chooseEncoding(call.request);
  if (encoding === "identity") return new Response(body, { headers });
  const packed =
    encoding === "br"
      ? await packBrotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
      : await packGzip(body, { level: 5 });
  return new Response(packed, { headers: { ...headers, "content-encoding": encoding } });
}

/** The tag of everything that an execution's commits decide, for this caller's rights. */
export function executionTag(call: Call, execution: ExecutionSummary): string {
  const { scope, content } = call.grant;
  return tagOf(JSON.stringify([scope, content, wireExecution.encode(execution)]));
}

/** Whether the caller has what the tag stands for. */
export function isKnown(request: Request, etag: string): boolean {
  const known = request.headers.get("if-none-match");
  return known !== null && (known.trim() === "*" || known.split(",").some((one) => one.trim() === etag));
}

export function notModified(etag: string): Response {
  const { "content-type": _, ...headers } = HEADERS;
  return new Response(null, { status: 304, headers: { ...headers, etag } });
}

/** Weak: the bytes depend on how they are packed. */
function tagOf(text: string): string {
  return `W/"${createHash("sha1").update(text).digest("base64url")}"`;
}

/** The best that `Accept-Encoding` allows: brotli, then gzip, where the caller has no preference of its own. */
function chooseEncoding(request: Request): "br" | "gzip" | "identity" {
  const weights = new Map<string, number>();
  for (const item of (request.headers.get("accept-encoding") ?? "").toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
  const brotli = weightOf("br");
  const zipped = weightOf("gzip");
  if (brotli === 0 && zipped === 0) return "identity";
  return brotli >= zipped ? "br" : "gzip";
}
