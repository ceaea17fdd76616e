import { wirePanelConfig } from "@spanloom/model/http";
import type { Call } from "../call.ts";
import { panelConfig } from "../panel-config.ts";
import { respondJson } from "../respond.ts";

/** Roles, and the links that they may follow. */
export async function getConfig(call: Call): Promise<Response> {
  return respondJson(call, wirePanelConfig.encode(await panelConfig(call.settings.config, call.grant)));
}
