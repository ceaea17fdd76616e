// The store for tests, demos and short-lived tools. Others have their own entries: `@spanloom/store/sqlite` keeps a
// file, `@spanloom/store/http` reads through a server, `@spanloom/store/testing` holds an adapter to the contract.
export { createMemoryStore } from "./adapters/memory.ts";
