// Vitest looks for this name; the one configuration is in vitest.workspace.ts.
export { default } from "./vitest.workspace.ts";
