import type { Authorize, ConfigSource } from "@spanloom/server";
import type { Settings } from "./settings.ts";

const roles = ["business_user", "operator", "auditor"] as const;
export type Role = (typeof roles)[number];

/** The tenant. A host with several gives each caller the own one. */
export const SCOPE = "studio";

/**
 * DEMO ONLY: the role is whatever the page's switch says. A real host takes it from its own session or token here, and
 * trusts no header that a browser can set.
 */
export function roleOf(request: Request): Role | undefined {
  const claimed = request.headers.get("x-studio-role") ?? "operator";
  return roles.find((role) => role === claimed);
}

/** Everybody may see runs, costs and traces; prompts, responses and tool arguments are not for auditors. */
export const authorize: Authorize = (request, { action }) => {
  const role = roleOf(request);
  if (role === undefined || action === "spans.write") return { status: 403 };
  return { scope: SCOPE, roles: [role], content: role !== "auditor", subject: `demo ${role}` };
};

/** Who records: on every span, and beside the run in the panels. */
export const service = { environment: "demo", service: "studio", serviceVersion: "0.1.0" } as const;

/** Where panels may link to. Only operators get the dashboards; for others the links are not in the page at all. */
export function panelConfig({ grafanaUrl, tempoUrl }: Settings): ConfigSource {
  return {
    "*": service,
    operator: {
      links: {
        run: {
          label: "Open in Grafana",
          template: `${grafanaUrl}/d/spanloom-run?var-run_id={run_id}&from={start_ms}&to={end_ms}`,
        },
        trace: { label: "View trace", template: `${tempoUrl}/trace/{trace_id}` },
      },
    },
  };
}
