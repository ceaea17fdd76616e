import { type ContentVault, SpanloomError, type TraceStore } from "@spanloom/model";
import { ROUTES, type RouteName } from "@spanloom/model/http";
import { createPipeline, type Pipeline } from "@spanloom/pipeline";
import { Hono } from "hono";
import { answer } from "./answer.ts";
import type { OnAudit } from "./audit.ts";
import type { Authorize } from "./authorize.ts";
import type { CallSettings } from "./call.ts";
import { type Limits, readLimits } from "./limits.ts";
import { LIVE_TIMES, type LiveTimes } from "./live/live-trace.ts";
import { type ConfigSource, checkSource } from "./panel-config.ts";
import { printFailure } from "./print-failure.ts";
import { errorResponse, HttpProblem } from "./problems.ts";

export interface HandlerOptions {
  store: TraceStore;
  /** Who may see what. Required: a host that wants no check says `allowAll()`. */
  authorize: Authorize;
  /** What panels may offer, by role. */
  config?: ConfigSource;
  /**
   * Cleans spans that are written through HTTP (normalise, redact, price) before they are stored; the default pipeline
   * where absent. `false` stores them as they come: for services that are known to clean them.
   */
  pipeline?: Pick<Pipeline, "clean" | "ready"> | false;
  /** Holds raw content, for callers whose grant says `rawContent`. Without it there is no route for that. */
  vault?: ContentVault;
  /** The path that all routes stand below, e.g. `/api/spanloom`; none where a router has taken it off already. */
  basePath?: string;
  /** Leaves the routes that write out: they are not there. */
  readOnly?: boolean;
  limits?: Partial<Limits>;
  /** The rhythm of live traces. */
  live?: Partial<LiveTimes>;
  /** Sees every view, write and refusal. */
  onAudit?: OnAudit;
  /** Gets failures that callers must not read. Where absent, their kind and place go to the console, never their text. */
  onError?: (error: unknown, where: { method: string; action?: string }) => void;
}

/** Answers one request. Never rejects: what fails is a problem document. */
export type Handler = (request: Request) => Promise<Response>;

/** The REST of a store, for any server that speaks Request and Response. Throws `invalid_argument` for unusable options. */
export function createHandler(options: HandlerOptions): Handler {
  const { store, authorize, config, onAudit, vault } = options;
  const basePath = readBasePath(options.basePath ?? "");
  checkSource(config);
  const limits = readLimits(options.limits);
  const settings: CallSettings = {
    limits,
    live: { ...LIVE_TIMES, ...options.live },
    ...(config !== undefined && { config }),
    ...(vault !== undefined && { vault }),
    pipeline: options.readOnly === true ? false : (options.pipeline ?? createPipeline()),
  };
  const report = options.onError ?? printFailure;

  const app = new Hono({ getPath: (request) => pathBelow(basePath, request.url) });
  const allowed = new Map<string, string[]>();
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const { method, path, action } = ROUTES[name];
    if (method === "POST" && options.readOnly === true) continue;
    if (name === "getRawContent" && vault === undefined) continue;
    allowed.set(path, [...(allowed.get(path) ?? []), ...(method === "GET" ? ["GET", "HEAD"] : [method])]);
    app.on(method, path, (context) =>
      answer({
        name,
        request: context.req.raw,
        params: context.req.param() as Record<string, string>,
        store,
        authorize,
        settings,
        onAudit,
        report: (error) => report(error, { method: context.req.method, action }),
      }),
    );
  }
  for (const [path, methods] of allowed) app.all(path, () => errorResponse(wrongMethod(methods)));
  app.notFound(() => errorResponse(noSuchRoute()));
  app.onError((error, context) => {
    report(error, { method: context.req.method });
    return errorResponse(undefined);
  });
  return async (request) =>
    request.url.length > limits.urlLength ? errorResponse(urlTooLong(limits.urlLength)) : app.fetch(request);
}

/** `/a/b` for `a/b/` and the like. */
function readBasePath(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  if (!/[?#\s]|:\/\//.test(trimmed)) return trimmed === "" ? "" : `/${trimmed}`;
  throw new SpanloomError("invalid_argument", {
    what: `The basePath ${JSON.stringify(path)} cannot be used.`,
    why: "It is the path of a URL, without origin, query and fragment.",
    fix: "Give for example /api/spanloom.",
  });
}

/** The path as it was sent, so that each parameter is decoded exactly once; what is not below the base is no route. */
function pathBelow(basePath: string, url: string): string {
  const { pathname } = new URL(url);
  if (basePath === "") return pathname;
  return pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : "/";
}

/** Its code is not that of an unknown id: a client with a wrong base URL must not look like one without data. */
function noSuchRoute(): HttpProblem {
  return new HttpProblem({
    status: 404,
    code: "not_supported",
    title: "There is no such route.",
    detail: "The path is none that this server answers.",
    fix: "Check the base URL, and that client and server have the same version of Spanloom.",
  });
}

function wrongMethod(methods: readonly string[]): HttpProblem {
  const allow = methods.join(", ");
  const title = "The route does not know this method.";
  return new HttpProblem({ status: 405, code: "not_supported", title, fix: `Use ${allow}.` }, { allow });
}

function urlTooLong(limit: number): HttpProblem {
  return new HttpProblem({
    status: 414,
    code: "limit_exceeded",
    title: "The URL is too long.",
    detail: `At most ${limit} characters are read.`,
    fix: "Ask for fewer things at once.",
  });
}
