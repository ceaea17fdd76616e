import { SpanloomError } from "@spanloom/model";
import { openChannel, type PortLike } from "./channel.ts";
import { followStore } from "./follow-store.ts";
import { type Answered, encodeError, type PortMethod } from "./messages.ts";
import { type CallMethod, refusalOf, type ServedStore, servedMethods } from "./served-methods.ts";

export interface ServePortOptions {
  /** Lets the other side write spans. False where absent. */
  write?: boolean;
  /** Lets the other side delete, prune, redact and recompute. False where absent. */
  administration?: boolean;
}

/** What {@link servePort} gives. */
export interface ServedPort {
  /** Tells the other side, and answers no more. The port stays open: it is the host's. */
  stop(): void;
}

/** Calls under way at once over one port, answers that were not taken yet included. */
const MOST_UNDER_WAY = 8;
/** Calls that wait; more is no honest reader. */
const MOST_WAITING = 1_000;

interface Work {
  session: string;
  id: number;
  method: PortMethod;
  args: unknown[];
  stop: AbortController;
  /** Set while a stream waits for its last part to be taken. */
  goOn?: () => void;
}

/**
 * Answers the calls of {@link createPortStore} at the other end of a port from one scope of a store: the scope is what is
 * served, so the other side can ask for nothing else. It may only read, unless the options say more. What comes over the
 * port is checked like any caller's arguments.
 */
export function servePort(store: ServedStore, port: PortLike, options: ServePortOptions = {}): ServedPort {
  const methods = servedMethods(store);
  const known = new Map<string, Work>();
  const waiting: Work[] = [];
  let underWay = 0;
  const channel = openChannel(port, heard, end);

  function heard(message: Readonly<Record<string, unknown>>): void {
    const { kind, session, id } = message;
    if (typeof session !== "string") return;
    if (kind === "bye") {
      for (const work of [...known.values()]) if (work.session === session) drop(work);
    }
    if (typeof id !== "number") return;
    const key = `${session}/${id}`;
    const work = known.get(key);
    if (kind === "call" && work === undefined) take(session, id, message.method, message.args);
    else if (kind === "taken" && work?.goOn !== undefined) work.goOn();
    else if ((kind === "taken" || kind === "stop") && work !== undefined) drop(work);
  }

  function take(session: string, id: number, method: unknown, args: unknown): void {
    const refusal =
      refusalOf(method, args, options) ?? (waiting.length >= MOST_WAITING ? tooMany() : undefined);
    if (refusal !== undefined) {
      post({ kind: "failure", session, id, error: encodeError(refusal) });
      return;
    }
    const stop = new AbortController();
    const work: Work = { session, id, method: method as PortMethod, args: args as unknown[], stop };
    known.set(`${session}/${id}`, work);
    // A watch costs nothing until something happens, and must not miss what is written next.
    if (work.method === "watch") watch(work);
    else if (work.method === "follow") void follow(work);
    else {
      waiting.push(work);
      startNext();
    }
  }

  function startNext(): void {
    while (underWay < MOST_UNDER_WAY) {
      const work = waiting.shift();
      if (work === undefined) break;
      underWay++;
      void answer(work);
    }
  }

  async function answer(work: Work): Promise<void> {
    const { session, id, stop } = work;
    let reply: Answered;
    try {
      const value = await methods[work.method as CallMethod](...work.args);
      reply = { kind: "answer", session, id, value };
    } catch (error) {
      reply = { kind: "failure", session, id, error: encodeError(error) };
    }
    if (stop.signal.aborted) {
      underWay--;
      startNext();
      return;
    }
    // The place is free again when the answer was taken.
    stop.signal.addEventListener("abort", () => {
      underWay--;
      startNext();
    });
    post(reply);
  }

  function watch(work: Work): void {
    const { session, id } = work;
    let rung = false;
    const wake = (): void => {
      if (work.goOn !== undefined) {
        // The one before was not taken yet: one more is enough, however often it rings.
        rung = true;
        return;
      }
      work.goOn = () => {
        delete work.goOn;
        if (rung) wake();
      };
      rung = false;
      post({ kind: "part", session, id, value: undefined });
    };
    try {
      const unwatch = store.watch?.(String(work.args[0]), wake);
      if (unwatch !== undefined) work.stop.signal.addEventListener("abort", unwatch);
    } catch (error) {
      post({ kind: "failure", session, id, error: encodeError(error) });
      drop(work);
    }
  }

  async function follow(work: Work): Promise<void> {
    const { session, id } = work;
    const { signal } = work.stop;
    const [executionId, seq] = work.args as [string, number];
    try {
      const changes =
        store.follow?.(executionId, seq, signal) ?? followStore(store, executionId, seq, signal);
      for await (const value of changes) {
        if (signal.aborted) break;
        await new Promise<void>((resolve) => {
          work.goOn = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
          post({ kind: "part", session, id, value });
        });
        delete work.goOn;
      }
      if (!signal.aborted) post({ kind: "end", session, id });
    } catch (error) {
      if (!signal.aborted) post({ kind: "failure", session, id, error: encodeError(error) });
    }
    drop(work);
  }

  function drop(work: Work): void {
    known.delete(`${work.session}/${work.id}`);
    const place = waiting.indexOf(work);
    if (place !== -1) waiting.splice(place, 1);
    work.stop.abort();
  }

  function post(message: Answered): void {
    try {
      channel.post(message);
    } catch (error) {
      if (message.kind !== "answer" && message.kind !== "part") return;
      const { session, id } = message;
      channel.post({ kind: "failure", session, id, error: encodeError(error) });
    }
  }

  function end(): void {
    for (const work of [...known.values()]) drop(work);
    channel.leave();
  }

  return {
    stop() {
      post({ kind: "bye" });
      end();
    },
  };
}

function tooMany(): SpanloomError {
  return new SpanloomError("limit_exceeded", {
    what: "Too many calls wait at the port.",
    why: `At most ${MOST_WAITING} may.`,
    fix: "Wait for answers before asking for more.",
  });
}
