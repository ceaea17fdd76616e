// A worker of a browser that serves a memory store over itself, and the same, to be read only, over every port that it is sent.
import { createMemoryStore } from "../adapters/memory.ts";
import { servePort } from "../adapters/port.ts";

const store = createMemoryStore();
servePort(store.forScope("own"), self, { write: true });
addEventListener("message", ({ ports: [port] }) => {
  if (port !== undefined) servePort(store.forScope("own"), port);
});
