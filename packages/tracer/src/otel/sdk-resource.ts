import type { OtelResource } from "./resource.ts";

/** A resource with what exporters of both SDK lines ask of one. */
interface SdkResource extends OtelResource {
  readonly asyncAttributesPending: false;
  waitForAsyncAttributes(): Promise<void>;
  getRawAttributes(): [string, string][];
  merge(other: OtelResource | null): SdkResource;
}

export function sdkResource(attributes: OtelResource["attributes"]): SdkResource {
  return {
    attributes,
    asyncAttributesPending: false,
    waitForAsyncAttributes: () => Promise.resolve(),
    getRawAttributes: () => Object.entries(attributes),
    merge: (other) => sdkResource({ ...attributes, ...other?.attributes }),
  };
}
