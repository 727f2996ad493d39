/** The protocol's documents, and validators of its types. */

import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { isObject, type JsonObject } from "./json.js";

/** The folder of the protocol, seen from the compiled file. */
export const PROTOCOL = new URL("../../../../protocol/", import.meta.url);

interface Meta {
  readonly methods: readonly { name: string; params: string; result: string }[];
  readonly notifications: readonly { name: string; params: string }[];
}

const SCHEMA = read("schema.json") as { readonly $defs: Readonly<Record<string, JsonObject>> };
const META = read("meta.json") as unknown as Meta;

/** The types of each method's params and result. */
export const METHODS = new Map(META.methods.map((row) => [row.name, row]));
/** The type of each notification's params. */
export const NOTIFICATIONS = new Map(META.notifications.map((row) => [row.name, row.params]));
/** Every definition of the schema. */
export const DEFINITIONS = SCHEMA.$defs;

/** Validators by the name of the type. */
export class Validators {
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });

  /** Takes the schema as it is written, or loosened, such that what is open may have grown. */
  constructor(reading: "as written" | "loosened") {
    this.#ajv.addSchema({ $id: "protocol", $defs: reading === "loosened" ? loosened(DEFINITIONS) : DEFINITIONS });
  }

  /** Returns what is wrong with the value, or undefined where nothing is. */
  wrong(definition: string, value: unknown): string | undefined {
    const validate = this.#ajv.getSchema(`protocol#/$defs/${definition}`) as ValidateFunction | undefined;
    if (validate === undefined) throw new Error(`The schema has no ${definition}.`);
    return validate(value) ? undefined : `not a ${definition}: ${this.#ajv.errorsText(validate.errors)}`;
  }
}

/** Returns a schema in which open enumerations take any text, and open unions any tag that is not of a known arm. */
export function loosened(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(loosened);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, loosened(value)]));
  if (inner["x-open"] !== true) return inner;
  const { enum: _, oneOf, discriminator, ...rest } = inner;
  if (!isObject(discriminator)) return rest;
  const tag = String(discriminator["propertyName"]);
  const known = { enum: Object.keys(discriminator["mapping"] as JsonObject) };
  const unknown = { type: "object", required: [tag], properties: { [tag]: { type: "string", not: known } } };
  return { ...rest, anyOf: [...(oneOf as unknown[]), unknown] };
}

function read(name: string): JsonObject {
  return JSON.parse(readFileSync(new URL(name, PROTOCOL), "utf8")) as JsonObject;
}
