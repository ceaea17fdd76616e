import { MAX_ID_LENGTH, type TraceStore } from "@spanloom/model";
import { ROUTES, type RouteName } from "@spanloom/model/http";
import type { OnAudit } from "./audit.ts";
import { type Authorize, type AuthorizeAction, decide, type Grant } from "./authorize.ts";
import type { Call, CallSettings } from "./call.ts";
import { denialResponse, errorResponse, notFound } from "./problems.ts";
import { routeHandlers } from "./routes/index.ts";

export interface Asked {
  name: RouteName;
  request: Request;
  params: Record<string, string>;
  store: TraceStore;
  authorize: Authorize;
  settings: CallSettings;
  onAudit: OnAudit | undefined;
  report(error: unknown): void;
}

/** One request to a known route: authorise, answer, put on record. In this order, so that a refused caller learns nothing. */
export async function answer(asked: Asked): Promise<Response> {
  const { name, request, params, authorize, report } = asked;
  const { action } = ROUTES[name];
  const executionId = params.execution_id ?? params.run_id;
  const about: AuthorizeAction = { action, ...(executionId !== undefined && { executionId }) };
  let grant: Grant | undefined;
  let response: Response;
  try {
    const decision = await decide(authorize, request, about);
    if ("denial" in decision) response = denialResponse(decision.denial);
    else {
      grant = decision.grant;
      response = await route(asked, about, grant);
    }
  } catch (error) {
    // Of a failed decision not even the kind of error may show.
    report(error);
    response = errorResponse(undefined);
  }
  return record(asked, about, grant, response);
}

async function route(asked: Asked, about: AuthorizeAction, grant: Grant): Promise<Response> {
  const { name, request, params, store, authorize, settings, report } = asked;
  const search = new URL(request.url).searchParams;
  const { scope } = grant;
  try {
    // No id is longer, and a store need not look for one that is.
    if (Object.values(params).some((id) => id.length > MAX_ID_LENGTH)) throw notFound();
    const call: Call = {
      request,
      params,
      search,
      query: Object.fromEntries(search),
      grant,
      store: store.forScope(scope),
      settings,
      report,
      async stillAllowed() {
        const decision = await decide(authorize, request, about);
        if (!("grant" in decision) || decision.grant.scope !== scope) return false;
        // Whoever lost the right to see content since comes back for an answer without.
        return decision.grant.content || !grant.content;
      },
    };
    return await routeHandlers[name](call);
  } catch (error) {
    const response = errorResponse(error);
    if (response.status >= 500 && response.status !== 501) report(error);
    return response;
  }
}

async function record(
  { onAudit, params, report }: Asked,
  about: AuthorizeAction,
  grant: Grant | undefined,
  response: Response,
): Promise<Response> {
  if (onAudit === undefined) return response;
  try {
    await onAudit({
      time: new Date().toISOString(),
      ...about,
      ...(params.span_id !== undefined && { spanId: params.span_id }),
      outcome: grant === undefined ? "denied" : "allowed",
      status: response.status,
      ...(grant !== undefined && { scope: grant.scope, roles: grant.roles }),
      ...(grant?.subject !== undefined && { subject: grant.subject }),
      content: grant?.content ?? false,
      ...(about.action === "raw_content.read" && grant?.rawContent === true && { rawContent: true as const }),
    });
    return response;
  } catch (error) {
    await response.body?.cancel();
    report(error);
    return errorResponse(undefined);
  }
}
