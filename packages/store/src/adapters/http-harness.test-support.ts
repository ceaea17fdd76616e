import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createHandler, type Handler } from "@spanloom/server";
import { createNodeListener } from "@spanloom/server/node";
import type { ConformanceFeatures, OpenStore } from "../testing/index.ts";
import { createHttpStore, type HttpStoreOptions } from "./http.ts";
import { createMemoryStore } from "./memory.ts";

export const httpFeatures: ConformanceFeatures = { administration: false, watch: false, inProcess: false };

export async function openWithoutSocket(): Promise<OpenStore> {
  const { handler, close } = serve();
  const fetch = (url: string, init: RequestInit): Promise<Response> => handler(new Request(url, init));
  return openOver({ baseUrl: "http://store.test", fetch }, close);
}

export async function openOverSocket(): Promise<OpenStore> {
  const { handler, close } = serve();
  const server = createServer(createNodeListener(handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return openOver({ baseUrl: `http://127.0.0.1:${port}/` }, async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
    await close();
  });
}

/** The handler over an empty memory store; the scope is what the caller says, as no real host would have it. */
function serve(): { handler: Handler; close(): Promise<void> } {
  const store = createMemoryStore();
  const handler = createHandler({
    store,
    pipeline: false,
    // The kit asks for full pages as stored; previews are the server's own.
    limits: { previewLength: Number.MAX_SAFE_INTEGER },
    authorize: (request) => ({
      scope: decodeURIComponent(request.headers.get("x-scope") ?? ""),
      roles: [],
      content: true,
    }),
  });
  return { handler, close: () => store.close() };
}

function openOver(options: HttpStoreOptions, close: () => Promise<void>): OpenStore {
  return {
    forScope(scope) {
      const headers = { "x-scope": encodeURIComponent(scope) };
      const { capabilities } = memory;
      // Administration is there and says that it is not supported.
      const { deleteExecution, prune, redact, recompute, ...store } = createHttpStore({
        ...options,
        scope,
        headers,
        capabilities,
      });
      return store;
    },
    close,
  };
}

/** What the store behind the server can do. */
const memory = createMemoryStore();
