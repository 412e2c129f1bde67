import { z, type ZodType } from 'zod';

/** A JSON Schema, or any other object of the document. */
export type Json = Record<string, unknown>;

/** The schemas of a document: those with a name are gathered, and referred to wherever they occur. */
export class Schemas {
  readonly #named = new Map<string, Json>();

  /** The schemas with a name, in the order of their names. */
  get named(): Json {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The JSON Schema of what is sent (`input`) or answered (`output`) under this schema. */
  of(schema: ZodType, io: 'input' | 'output'): Json {
    const { $defs = {}, ...made } = z.toJSONSchema(schema, { io, override: simplifySchema });
    delete made.$schema;
    for (const [name, definition] of Object.entries($defs))
      this.#named.set(name, rewriteReferences(definition) as Json);
    return rewriteReferences(made) as Json;
  }

  /** The schema with a reference at its top resolved. */
  resolved(schema: Json): Json {
    const { $ref: reference } = schema;
    return typeof reference === 'string' ? (this.#named.get(nameIn(reference)) ?? schema) : schema;
  }
}

/** Removes zod's own details, and restores the defaults and examples of transformed schemas. */
function simplifySchema({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}): void {
  const { def } = zodSchema._zod;
  const { type, format } = jsonSchema;
  if (def.type === 'default' && type !== undefined)
    jsonSchema.default ??= def.defaultValue as typeof jsonSchema.default;
  const { examples } = z.globalRegistry.get(zodSchema) ?? {};
  if (Array.isArray(examples)) jsonSchema.examples ??= examples;
  // A format says it all; and the text of a query is its number or flag.
  if (format === 'date-time' || format === 'uuid' || type === 'integer') delete jsonSchema.pattern;
  if (type === 'boolean') delete jsonSchema.enum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

/** Rewrites every reference to the document's components. */
function rewriteReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rewriteReferences);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === '$ref' && typeof inner === 'string' ? `#/components/schemas/${nameIn(inner)}` : rewriteReferences(inner),
    ]),
  );
}

function nameIn(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}
