/** Translates one value between its form inside and its form on the wire. */
export interface Codec {
  encode(inside: never): unknown;
  decode(wire: never): unknown;
}

/** `true` copies the value as it is: strings, numbers, and JSON whose keys belong to someone else. */
export type FieldCodec = Codec | true;

/** The wire form of an object: camelCase fields in snake_case, each through its codec; unknown fields are left out. */
export interface Struct<T> {
  encode(inside: T): Record<string, unknown>;
  /** Translates and does not check: what comes out has the wire's values, whatever they are. */
  decode(wire: unknown): unknown;
}

/** Defines the wire form of `T`. The type makes it a complete list: a new field of `T` does not compile until it is here. */
export function struct<T>(fields: { [K in keyof Required<T>]: FieldCodec | Renamed }): Struct<T> {
  const table = Object.entries(fields as Record<string, FieldCodec | Renamed>).map(([inside, field]) => {
    const renamed = field !== true && "wire" in field ? field : undefined;
    const codec = (renamed === undefined ? field : renamed.codec) as FieldCodec;
    return {
      inside,
      wire: renamed?.wire ?? inside.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      codec: codec === true ? undefined : (codec as AnyCodec),
    };
  });
  return {
    encode(inside) {
      const out: Record<string, unknown> = {};
      for (const field of table) {
        const value = (inside as Record<string, unknown>)[field.inside];
        if (value === undefined) continue;
        out[field.wire] = field.codec === undefined ? value : field.codec.encode(value);
      }
      return out;
    },
    decode(wire) {
      if (typeof wire !== "object" || wire === null || Array.isArray(wire)) return wire;
      const out: Record<string, unknown> = {};
      for (const field of table) {
        const value = (wire as Record<string, unknown>)[field.wire];
        if (value === undefined) continue;
        out[field.inside] = field.codec === undefined ? value : field.codec.decode(value);
      }
      return out;
    },
  };
}

/** A field whose wire name is not its own in snake_case. */
export interface Renamed {
  wire: string;
  codec: FieldCodec;
}

/** An array of what `item` translates. */
export function list(item: Codec): Codec {
  const { encode, decode } = item as AnyCodec;
  return {
    encode: (inside: never) => (inside as unknown[]).map(encode),
    decode: (wire: never) => (Array.isArray(wire) ? (wire as unknown[]).map(decode) : wire),
  };
}

interface AnyCodec {
  encode(inside: unknown): unknown;
  decode(wire: unknown): unknown;
}
