import type { ReactElement } from "react";
import { coreMessages } from "../messages/core-messages.ts";
import { useMessages } from "../messages/messages.ts";

export interface EnvProvenanceProps {
  environment?: string;
  service?: string;
  version?: string;
}

/** Where the figures come from: environment, service, version. What is unknown is left out; all unknown says so. */
export function EnvProvenance({ environment, service, version }: EnvProvenanceProps): ReactElement {
  const t = useMessages(coreMessages);
  const parts = [environment, service, version].filter((part) => part !== undefined && part !== "");
  return (
    <span className="sl-environment" title={t("environment.label")}>
      {parts.length === 0 ? t("environment.unknown") : <bdi>{parts.join(" · ")}</bdi>}
    </span>
  );
}
