import { RESOURCE } from "@spanloom/model";

export interface OtelResource {
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ServiceOptions {
  serviceName?: string;
  serviceVersion?: string;
  environment?: string;
}

/** The process that spans come from. What the host says stands before what the environment says. */
export function resourceAttributes(
  { serviceName, serviceVersion, environment }: ServiceOptions,
  fromEnvironment: Readonly<Record<string, string>>,
): OtelResource["attributes"] {
  return {
    [RESOURCE.serviceName]: "unknown_service",
    ...fromEnvironment,
    ...(serviceName !== undefined && { [RESOURCE.serviceName]: serviceName }),
    ...(serviceVersion !== undefined && { [RESOURCE.serviceVersion]: serviceVersion }),
    ...(environment !== undefined && { [RESOURCE.environment]: environment }),
  };
}
