import { type PanelConfig, SpanloomError } from "@spanloom/model";
import type { Grant } from "./authorize.ts";

/** What panels may offer. `links` are for the roles that may follow them. */
export type HostConfig = Omit<PanelConfig, "roles" | "contentPermitted">;

/**
 * By role, where `*` is everybody: `{ "*": { environment: "prod" }, operator: { links: { run: { label: "Open in Grafana",
 * template: "https://grafana.example/d/run?var-run_id={run_id}" } } } }`. Or a function, for hosts that decide otherwise.
 */
export type ConfigSource =
  | Readonly<Record<string, HostConfig>>
  | ((grant: Grant) => HostConfig | Promise<HostConfig>);

/** The configuration for one caller. What the caller's roles do not give is not there. */
export async function panelConfig(source: ConfigSource | undefined, grant: Grant): Promise<PanelConfig> {
  const own: HostConfig =
    source === undefined
      ? {}
      : typeof source === "function"
        ? checkConfig(await source(grant))
        : ["*", ...grant.roles].reduce<HostConfig>(
            (all, role) => (Object.hasOwn(source, role) ? join(all, source[role] ?? {}) : all),
            {},
          );
  return { ...own, roles: [...grant.roles], contentPermitted: grant.content };
}

/** Refuses a table with a template that is no link, when the handler is made and not when somebody clicks. */
export function checkSource(source: ConfigSource | undefined): void {
  if (typeof source === "object") for (const config of Object.values(source)) checkConfig(config);
}

function join(all: HostConfig, more: HostConfig): HostConfig {
  const links =
    all.links === undefined && more.links === undefined ? {} : { links: { ...all.links, ...more.links } };
  return { ...all, ...more, ...links };
}

/** A template leads to a page: `javascript:` and the like would run in the host's own. */
function checkConfig(config: HostConfig): HostConfig {
  for (const [name, link] of Object.entries(config.links ?? {})) {
    if (link === undefined || /^(https?:\/\/|\/(?![/\\]))/i.test(link.template)) continue;
    throw new SpanloomError("invalid_argument", {
      what: `The link template "${name}" cannot be used.`,
      why: "A template begins with https://, http:// or /.",
      fix: "Correct `config` where createHandler is called.",
    });
  }
  return config;
}
