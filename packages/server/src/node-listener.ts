import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Handler } from "./create-handler.ts";
import { errorResponse, HttpProblem } from "./problems.ts";

/** A listener for `node:http`: `createServer(createNodeListener(handler))`, or a route of Express, Connect and the like. */
export type NodeListener = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/**
 * Serves a handler from `node:http`. Streams with back-pressure; a client that disconnects aborts its request. Bodies
 * must not have been read by the host before (mount it above body parsers).
 */
export function createNodeListener(handler: Handler): NodeListener {
  return getRequestListener(handler, {
    // The host's globals are the host's.
    overrideGlobalObjects: false,
    // Only requests that are none come here, such as those without a usable Host: the handler itself never fails.
    errorHandler: () =>
      errorResponse(
        new HttpProblem({
          status: 400,
          code: "invalid_argument",
          title: "The request cannot be read.",
          detail: "Its URL or its Host header is not valid.",
        }),
      ),
  });
}
