export interface ToolOptions {
  name: string;
  /** The arguments. */
  input?: unknown;
  attributes?: Record<string, unknown>;
}
