import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { SpanloomError } from "@spanloom/model";
import type { Limits } from "./limits.ts";
import { HttpProblem } from "./problems.ts";

const unpack = promisify(gunzip);

/**
 * The JSON of a request body, plain or gzip. Never holds more than the limits allow, whatever the headers claim.
 * Only `application/json` is read: forms of other sites can send anything else without being asked.
 */
export async function readJson(request: Request, limits: Limits): Promise<unknown> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw unsupported("The body is not JSON.", "Send it with `Content-Type: application/json`.");
  }
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    throw unsupported("The body is packed in a way that is not read here.", "Send it plain or as gzip.", {
      "accept-encoding": "gzip",
    });
  }
  const received = await readBytes(request, limits.requestBytes);
  const bytes = encoding === "gzip" ? await unpackAll(received, limits.unpackedBytes) : received;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw badBody("It is no JSON in UTF-8.");
  }
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof SpanloomError) throw error;
    throw badBody("It broke off before its end.");
  }
  return Buffer.concat(chunks);
}

async function unpackAll(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  try {
    return await unpack(bytes, { maxOutputLength: limit });
  } catch (error) {
    const tooMuch = error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    throw tooMuch ? tooLarge(limit) : badBody("It is no gzip.");
  }
}

function tooLarge(limit: number): SpanloomError {
  return new SpanloomError("limit_exceeded", {
    what: "The request body is too large.",
    why: `At most ${limit} bytes are read.`,
    fix: "Send the spans in several requests.",
  });
}

function badBody(why: string): SpanloomError {
  return new SpanloomError("invalid_argument", {
    what: "The request body cannot be read.",
    why,
    fix: 'Send { "spans": [...] } as JSON.',
  });
}

function unsupported(title: string, fix: string, headers: Record<string, string> = {}): HttpProblem {
  return new HttpProblem({ title, fix, status: 415, code: "invalid_argument" }, headers);
}
