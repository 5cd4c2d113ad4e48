/** JSON Schema (draft 7 and our own `integerOf` keyword) and the TypeScript type that it proves, built together. */

/** The kinds of integer that the specification uses, with what TypeScript holds them in. */
export const INTEGER_KINDS = {
  uint16: { min: 0n, max: 0xffffn },
  uint32: { min: 0n, max: 0xffff_ffffn },
  int32: { min: -0x8000_0000n, max: 0x7fff_ffffn },
  uint64: { min: 0n, max: 0xffff_ffff_ffff_ffffn },
  int64: { min: -0x8000_0000_0000_0000n, max: 0x7fff_ffff_ffff_ffffn },
} as const;

export type IntegerKind = keyof typeof INTEGER_KINDS;

export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly minLength?: number;
  readonly enum?: readonly (string | boolean)[];
  readonly anyOf?: readonly JsonSchema[];
  /** Bounds included; both are numbers that JSON holds exactly, or the name of a wider kind. */
  readonly integerOf?: IntegerKind | readonly [min: number, max: number];
  readonly errorMessage?: string;
}

/** A schema and, as a phantom, the type of the values that it accepts. */
export interface Schema<T> {
  readonly json: JsonSchema;
  readonly accepts?: T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

type Properties = Readonly<Record<string, Schema<unknown>>>;
type Shape<P extends Properties, R extends keyof P> = {
  readonly [K in keyof P as K extends R ? K : never]: Infer<P[K]>;
} & { readonly [K in keyof P as K extends R ? never : K]?: Infer<P[K]> };
type Flat<T> = { readonly [K in keyof T]: T[K] };

export const string: Schema<string> = { json: { type: 'string' } };
export const boolean: Schema<boolean> = { json: { type: 'boolean' } };
export const uint16: Schema<number> = { json: { integerOf: 'uint16' } };
export const uint32: Schema<number> = { json: { integerOf: 'uint32' } };
export const int32: Schema<number> = { json: { integerOf: 'int32' } };
/** Beyond 2^53 a bigint, else a number. */
export const uint64: Schema<number | bigint> = { json: { integerOf: 'uint64' } };
export const int64: Schema<number | bigint> = { json: { integerOf: 'int64' } };

/** An integer with bounds of its own, both included and both below 2^53. */
export function integer(min: number, max: number): Schema<number> {
  return { json: { integerOf: [min, max] } };
}

export function oneOf<const V extends string | boolean>(values: readonly V[]): Schema<V> {
  return { json: { enum: values } };
}

export function array<T>(items: Schema<T>, minItems = 0): Schema<readonly T[]> {
  return { json: { type: 'array', items: items.json, ...(minItems > 0 ? { minItems } : {}) } };
}

/** Any keys, values of one type. */
export function record<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return { json: { type: 'object', additionalProperties: values.json } };
}

/** An object of which other members are kept, unchecked. */
export function object<P extends Properties, R extends keyof P & string = never>(
  properties: P,
  required: readonly R[] = [],
): Schema<Flat<Shape<P, R>>> {
  const json: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(properties)) json[name] = schema.json;
  return { json: { type: 'object', properties: json, ...(required.length > 0 ? { required } : {}) } };
}

export function either<A, B>(a: Schema<A>, b: Schema<B>, errorMessage: string): Schema<A | B> {
  return { json: { anyOf: [a.json, b.json], errorMessage } };
}
