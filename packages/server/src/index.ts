export type { AuditEvent, OnAudit } from "./audit.ts";
export { type Authorize, type AuthorizeAction, allowAll, type Denial, type Grant } from "./authorize.ts";
export { createHandler, type Handler, type HandlerOptions } from "./create-handler.ts";
export type { Limits } from "./limits.ts";
export type { LiveTimes } from "./live/live-trace.ts";
export type { ConfigSource, HostConfig } from "./panel-config.ts";
