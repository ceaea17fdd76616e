import { RESOURCE } from "@spanloom/model";

/** What SDK exporters of both lines read of a resource. */
export interface OtelResource {
  readonly attributes: Readonly<Record<string, string>>;
  readonly asyncAttributesPending: false;
  waitForAsyncAttributes(): Promise<void>;
  getRawAttributes(): [string, string][];
  merge(other: OtelResource | null): OtelResource;
}

export interface ServiceOptions {
  serviceName?: string;
  serviceVersion?: string;
  environment?: string;
}

/** The process that spans come from. What the host says stands before what the environment says. */
export function createResource(
  { serviceName, serviceVersion, environment }: ServiceOptions,
  fromEnvironment: Readonly<Record<string, string>>,
): OtelResource {
  return resourceOf({
    [RESOURCE.serviceName]: "unknown_service",
    ...fromEnvironment,
    ...(serviceName !== undefined && { [RESOURCE.serviceName]: serviceName }),
    ...(serviceVersion !== undefined && { [RESOURCE.serviceVersion]: serviceVersion }),
    ...(environment !== undefined && { [RESOURCE.environment]: environment }),
  });
}

function resourceOf(attributes: Readonly<Record<string, string>>): OtelResource {
  return {
    attributes,
    asyncAttributesPending: false,
    waitForAsyncAttributes: () => Promise.resolve(),
    getRawAttributes: () => Object.entries(attributes),
    merge: (other) => resourceOf({ ...attributes, ...other?.attributes }),
  };
}
