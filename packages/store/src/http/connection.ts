import { isSpanloomError, SpanloomError } from "@spanloom/model";
import { decodeProblem } from "@spanloom/model/http";
import type { HttpStoreOptions } from "../adapters/http.ts";
import { createEtagCache } from "./etag-cache.ts";

/** Requests to one server: headers, time-outs, retries, what is known by its ETag, and errors of our own family. */
export interface HttpConnection {
  readonly timeoutMs: number;
  /** The decoded answer. Rejects where there is none. */
  get<T>(path: string, decode: (wire: unknown) => T): Promise<T>;
  /** As `get`, but `undefined` where the server says that it has no such thing. */
  find<T>(path: string, decode: (wire: unknown) => T): Promise<T | undefined>;
  post<T>(path: string, body: string, decode: (wire: unknown) => T): Promise<T>;
  /** One request, once, the way it comes; an answer that is no success rejects. */
  open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
}

const RETRIES = 2;
const FIRST_DELAY_MS = 200;
/** A server that asks for more patience than this gets the error to the caller instead. */
const LONGEST_DELAY_MS = 5_000;
const RETRIED_STATUS: ReadonlySet<number> = new Set([502, 503, 504]);

export function createConnection(options: HttpStoreOptions): HttpConnection {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const timeoutMs = options.timeoutMs ?? 30_000;
  const cache = createEtagCache();
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  const ownHeaders = async (): Promise<Record<string, string>> =>
    typeof options.headers === "function" ? options.headers() : (options.headers ?? {});

  async function request(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const headers = { ...(await ownHeaders()), ...(init.headers as Record<string, string>) };
    try {
      return await send(`${baseUrl}${path}`, { ...init, headers, signal });
    } catch (error) {
      throw networkError(error, timeoutMs);
    }
  }

  async function get<T>(path: string, decode: (wire: unknown) => T): Promise<T> {
    const known = cache.get(path);
    const headers: Record<string, string> = { accept: "application/json" };
    if (known !== undefined) headers["if-none-match"] = known.etag;
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await request(path, { headers }, AbortSignal.timeout(timeoutMs));
        if (response.status === 304 && known !== undefined) {
          await response.body?.cancel();
          return decode(JSON.parse(known.text));
        }
        if (!response.ok) throw new Refusal(response, await readText(response, timeoutMs));
        const text = await readText(response, timeoutMs);
        const value = decode(parse(text, response));
        cache.set(path, response.headers.get("etag"), text);
        return value;
      } catch (error) {
        const delayMs = delayBefore(attempt, error);
        if (delayMs === undefined) throw error instanceof Refusal ? error.toError() : error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
  }

  return {
    timeoutMs,
    get,
    async find(path, decode) {
      try {
        return await get(path, decode);
      } catch (error) {
        if (isSpanloomError(error) && error.code === "not_found") return undefined;
        throw error;
      }
    },
    async post(path, body, decode) {
      const headers = { accept: "application/json", "content-type": "application/json" };
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await request(path, { method: "POST", headers, body }, signal);
      const text = await readText(response, timeoutMs);
      if (!response.ok) throw new Refusal(response, text).toError();
      return decode(parse(text, response));
    },
    async open(path, headers, signal) {
      const response = await request(path, { headers }, signal);
      if (!response.ok) throw new Refusal(response, await readText(response, timeoutMs)).toError();
      return response;
    },
  };
}

/** An answer that is no success, before it becomes an error: a retry must see its headers. */
class Refusal extends Error {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly #problem: unknown;

  constructor(response: Response, text: string) {
    super();
    this.status = response.status;
    this.retryAfter = response.headers.get("retry-after");
    this.#problem = readProblem(text);
  }

  toError(): SpanloomError {
    const error = decodeProblem(this.status, this.#problem);
    // Only a problem document of our own may say "unknown id"; any other 404 is a page of some other server.
    if (error.code !== "not_found" || this.#problem !== undefined) return error;
    return notOurs(`It answered with status ${this.status} and no problem document.`);
  }
}

function readProblem(text: string): unknown {
  try {
    const problem: unknown = JSON.parse(text);
    return typeof problem === "object" && problem !== null && "code" in problem ? problem : undefined;
  } catch {
    return undefined;
  }
}

/** How long to wait before the next try; `undefined` where there is none. */
function delayBefore(attempt: number, error: unknown): number | undefined {
  if (attempt >= RETRIES) return undefined;
  const backOffMs = FIRST_DELAY_MS * 2 ** attempt * (0.5 + Math.random());
  if (error instanceof Refusal) {
    if (!RETRIED_STATUS.has(error.status)) return undefined;
    const askedMs = error.retryAfter === null ? undefined : delayOf(error.retryAfter);
    if (askedMs === undefined) return backOffMs;
    return askedMs <= LONGEST_DELAY_MS ? askedMs : undefined;
  }
  return isSpanloomError(error) && error.code === "network_failed" && !(error instanceof NotOurs)
    ? backOffMs
    : undefined;
}

/** `Retry-After` in milliseconds: seconds or a date (RFC 9110, 10.2.3). */
function delayOf(retryAfter: string): number | undefined {
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const date = Date.parse(retryAfter);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

async function readText(response: Response, timeoutMs: number): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw networkError(error, timeoutMs);
  }
}

function parse(text: string, response: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notOurs(`It answered with ${response.headers.get("content-type") ?? "something"} that is no JSON.`);
  }
}

class NotOurs extends SpanloomError {}

function notOurs(why: string): SpanloomError {
  return new NotOurs("network_failed", {
    what: "No Spanloom server answered.",
    why,
    fix: "Check the base URL of the store.",
  });
}

function networkError(error: unknown, timeoutMs: number): SpanloomError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new SpanloomError("timed_out", {
      what: "The server did not answer in time.",
      why: `It took longer than ${timeoutMs} ms.`,
      fix: "Try again, or raise timeoutMs.",
      cause: error,
    });
  }
  return new SpanloomError("network_failed", {
    what: "The server cannot be reached.",
    why: "The connection failed or broke off.",
    fix: "Check the network and the base URL of the store, then try again.",
    cause: error,
  });
}
