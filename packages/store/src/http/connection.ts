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
  /** For requests that may arrive twice. */
  post<T>(path: string, body: string, decode: (wire: unknown) => T): Promise<T>;
  /** One request, once, the way it comes; an answer that is no success rejects. */
  open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
}

const RETRIES = 2;
const FIRST_DELAY_MS = 200;
/** A server that asks for more patience than this gets the error to the caller instead. */
const LONGEST_DELAY_MS = 5_000;
const RETRIED_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export function createConnection(options: HttpStoreOptions): HttpConnection {
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const timeoutMs = options.timeoutMs ?? 30_000;
  const closing = options.signal;
  const cache = createEtagCache();
  const send = options.fetch ?? ((url: string, init: RequestInit) => fetch(url, init));
  const ownHeaders = async (): Promise<Record<string, string>> =>
    typeof options.headers === "function" ? options.headers() : (options.headers ?? {});

  async function request(path: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const headers = { ...(await ownHeaders()), ...(init.headers as Record<string, string>) };
    // The function, and a try between two others, may have taken long.
    if (closing?.aborted === true) throw closed();
    try {
      return await send(`${baseUrl}${path}`, { ...init, headers, signal });
    } catch (error) {
      throw failure(error);
    }
  }

  /** The signal of one try: its time-out, and the end of the store. */
  function limited(): AbortSignal {
    const timeout = AbortSignal.timeout(timeoutMs);
    return closing === undefined ? timeout : AbortSignal.any([timeout, closing]);
  }

  async function readText(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (error) {
      throw failure(error);
    }
  }

  function failure(error: unknown): SpanloomError {
    return closing?.aborted === true ? closed() : networkError(error, timeoutMs);
  }

  /** Tries until there is an answer, an error that another try would meet again, or no patience left. */
  async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
    for (let tried = 0; ; tried++) {
      try {
        return await attempt();
      } catch (error) {
        const delayMs = delayBefore(tried, error);
        if (delayMs === undefined) throw error instanceof Refusal ? error.toError() : error;
        await pause(delayMs, closing);
      }
    }
  }

  const get = <T>(path: string, decode: (wire: unknown) => T): Promise<T> =>
    patiently(async () => {
      const known = cache.get(path);
      const headers: Record<string, string> = { accept: "application/json" };
      if (known !== undefined) headers["if-none-match"] = known.etag;
      const response = await request(path, { headers }, limited());
      if (response.status === 304 && known !== undefined) {
        await response.body?.cancel();
        return decode(JSON.parse(known.text));
      }
      const text = await readText(response);
      if (!response.ok) throw new Refusal(response, text);
      const value = decode(parse(text, response));
      cache.set(path, response.headers.get("etag"), text);
      return value;
    });

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
    post: (path, body, decode) =>
      patiently(async () => {
        const headers = { accept: "application/json", "content-type": "application/json" };
        const response = await request(path, { method: "POST", headers, body }, limited());
        const text = await readText(response);
        if (!response.ok) throw new Refusal(response, text);
        return decode(parse(text, response));
      }),
    async open(path, headers, signal) {
      const whole = closing === undefined ? signal : AbortSignal.any([signal, closing]);
      const response = await request(path, { headers }, whole);
      if (!response.ok) throw new Refusal(response, await readText(response)).toError();
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

/** Waits, but not beyond the end of the store. */
async function pause(delayMs: number, closing: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      closing?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    closing?.addEventListener("abort", done);
    if (closing?.aborted === true) done();
  });
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

function closed(): SpanloomError {
  return new SpanloomError("store_closed", {
    what: "The http store is closed.",
    why: "Its signal was aborted.",
    fix: "Make a new store for further calls.",
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
