import type { PostgresClient, PostgresPool } from "./client.ts";
import { channelOf } from "./locks.ts";

/** What one commit tells the stores of other processes. */
export interface Notice {
  scope: string;
  /** Absent where there were too many to name: any of the scope may have changed. */
  executionIds: string[] | undefined;
}

export interface Listener {
  /** From now on somebody wants to hear; the returned function ends that. */
  want(): () => void;
  stop(): void;
}

export interface ListenerOptions {
  pool: PostgresPool;
  schema: string;
  /** Tells this store's own commits from those of others. */
  origin: string;
  onNotice(notice: Notice): void;
  /** Listening began again after a break: anything may have changed. */
  onGap(): void;
}

interface Connection {
  client: PostgresClient;
  end(error?: Error): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A connection is kept for whoever comes next. */
const LINGER_MS = 10_000;

/**
 * Hears what other processes commit, on a connection of its own, as long as somebody wants to. A lost connection is made
 * again, with growing pauses; meanwhile whoever waits for changes finds them by asking.
 */
export function createListener({ pool, schema, origin, onNotice, onGap }: ListenerOptions): Listener {
  const channel = channelOf(schema);
  let wanted = 0;
  // A pool of one connection would have none left for anything else.
  let stopped = pool.options?.max === 1;
  let pauseMs = FIRST_PAUSE_MS;
  let connection: Connection | undefined;
  let connecting = false;
  let heardBefore = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const later = (delayMs: number, run: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(run, delayMs);
    timer.unref();
  };

  async function connect(): Promise<void> {
    if (connection !== undefined || connecting || stopped || wanted === 0) return;
    connecting = true;
    try {
      const client = await pool.connect();
      if (client.on === undefined) {
        stopped = true;
        client.release();
        return;
      }
      await listen(client);
      pauseMs = FIRST_PAUSE_MS;
      if (heardBefore) onGap();
      heardBefore = true;
    } catch {
      retry();
    } finally {
      connecting = false;
      if (stopped) letGo();
    }
  }

  function letGo(): void {
    connection?.end();
  }

  async function listen(client: PostgresClient): Promise<void> {
    const onNotification = (message: { payload?: string }): void => {
      const notice = readNotice(message.payload, origin);
      if (notice !== undefined) onNotice(notice);
    };
    const onLost = (error?: Error): void => end(error ?? new Error("The listening connection ended."));
    const end = (error?: Error): void => {
      if (connection?.client !== client) return;
      connection = undefined;
      client.removeListener?.("notification", onNotification);
      client.removeListener?.("error", onLost);
      client.removeListener?.("end", onLost);
      // A connection that listens must not serve others.
      client.release(error ?? new Error("No longer listening."));
      if (error !== undefined) retry();
    };
    connection = { client, end };
    client.on?.("notification", onNotification);
    client.on?.("error", onLost);
    client.on?.("end", onLost);
    try {
      await client.query({ text: `LISTEN ${channel}`, rowMode: "array" });
    } catch (error) {
      connection = undefined;
      client.release(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  function retry(): void {
    if (stopped || wanted === 0) return;
    later(pauseMs * (0.5 + Math.random()), () => void connect());
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }

  return {
    want: () => {
      wanted++;
      void connect();
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        wanted--;
        if (wanted === 0 && connection !== undefined) {
          later(LINGER_MS, () => {
            if (wanted === 0) letGo();
          });
        }
      };
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      letGo();
    },
  };
}

/** NOTIFY takes less than 8,000 bytes. */
const MOST_BYTES = 7_500;

/** The payload that tells others of a commit. */
export function noticeOf(origin: string, { scope, executionIds = [] }: Notice): string {
  const named = JSON.stringify([origin, scope, ...executionIds]);
  return Buffer.byteLength(named) <= MOST_BYTES ? named : JSON.stringify([origin, scope]);
}

/** `undefined` for one of our own, and for what is no notice. */
function readNotice(payload: string | undefined, origin: string): Notice | undefined {
  try {
    const parts: unknown = JSON.parse(payload ?? "");
    if (!Array.isArray(parts) || !parts.every((part) => typeof part === "string")) return undefined;
    const [from, scope, ...executionIds] = parts as string[];
    if (from === origin || scope === undefined) return undefined;
    return { scope, executionIds: executionIds.length > 0 ? executionIds : undefined };
  } catch {
    return undefined;
  }
}
