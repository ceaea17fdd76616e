import { SpanloomError } from "@spanloom/model";
import { allowAll, createHandler, type HandlerOptions } from "@spanloom/server";
import { createHttpStore, type HttpStore, type HttpStoreOptions } from "../adapters/http.ts";
import { createMemoryStore } from "../adapters/memory.ts";

export type Fetch = NonNullable<HttpStoreOptions["fetch"]>;

/** A client over the real handler; `around` stands where the network does. */
export function connect(
  options: Partial<HandlerOptions> & {
    client?: Partial<HttpStoreOptions>;
    around?: (send: Fetch) => Fetch;
  } = {},
): {
  client: HttpStore;
  inner: ReturnType<ReturnType<typeof createMemoryStore>["forScope"]>;
  sent: string[];
} {
  const { client: clientOptions, around = (send) => send, ...handlerOptions } = options;
  const store = createMemoryStore();
  const handler = createHandler({ store, authorize: allowAll(), pipeline: false, ...handlerOptions });
  const sent: string[] = [];
  const send: Fetch = (url, init) => {
    sent.push(url);
    return handler(new Request(new URL(url, "http://page.test"), init));
  };
  const client = createHttpStore({ baseUrl: "/api", fetch: around(send), ...clientOptions });
  return { client, inner: store.forScope("default"), sent };
}

/** The code of the error that a call rejects with. */
export function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "no error",
    (error) => (error instanceof SpanloomError ? error.code : String(error)),
  );
}

/** Answers the first requests with these instead, then lets the rest through. */
export function firstAnswer(...answers: (() => Response | Promise<Response>)[]): (send: Fetch) => Fetch {
  return (send) => (url, init) => Promise.resolve(answers.shift()?.() ?? send(url, init));
}
