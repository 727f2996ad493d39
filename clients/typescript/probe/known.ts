/** What the types know of a value: others of its members, and optional ones at their defaults, are left out. */

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { isObject } from "../src/json.js";
import type { JsonObject } from "../src/protocol.js";

/** As much of JSON Schema as `protocol/schema.json` is written in. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly discriminator?: { readonly propertyName: string; readonly mapping: Readonly<Record<string, string>> };
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

const PROTOCOL = new URL("../../../../protocol/", import.meta.url);
const DEFINITIONS = (JSON.parse(readFileSync(new URL("schema.json", PROTOCOL), "utf8")) as { $defs: object })
  .$defs as Readonly<Record<string, Schema>>;

/** Returns the value as the type called `name` has it. */
export function known(name: string, value: unknown): unknown {
  return view({ $ref: `#/$defs/${name}` }, value);
}

function view(schema: Schema, value: unknown): unknown {
  const declared = resolve(schema);
  if (Array.isArray(value)) return value.map((element) => view(itemsOf(declared), element));
  if (!isObject(value)) return value;
  if (declared.discriminator !== undefined) return viewArm(declared.discriminator, value);
  if (declared.properties !== undefined) return viewRecord(declared, value);
  if (declared.anyOf !== undefined) return view(declared.anyOf.find(isOfObjects) ?? {}, value);
  if (typeof declared.additionalProperties !== "object") return value;
  const inner = declared.additionalProperties;
  return Object.fromEntries(Object.entries(value).map(([member, one]) => [member, view(inner, one)]));
}

function resolve(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : resolve(DEFINITIONS[schema.$ref.split("/").at(-1) ?? ""] ?? {});
}

function itemsOf(schema: Schema): Schema {
  const lists = [schema, ...(schema.anyOf ?? []).map(resolve)];
  return lists.find(({ items }) => items !== undefined)?.items ?? {};
}

function isOfObjects(schema: Schema): boolean {
  const { properties, discriminator, additionalProperties } = resolve(schema);
  return (properties ?? discriminator ?? additionalProperties) !== undefined;
}

function viewArm({ propertyName, mapping }: NonNullable<Schema["discriminator"]>, value: JsonObject): unknown {
  const $ref = mapping[String(value[propertyName])];
  return $ref === undefined ? value : view({ $ref }, value);
}

function viewRecord({ properties = {}, required = [] }: Schema, value: JsonObject): JsonObject {
  const members = Object.entries(properties).filter(([name, member]) => {
    if (!(name in value)) return false;
    return required.includes(name) || !("default" in member) || !isDeepStrictEqual(value[name], member.default);
  });
  return Object.fromEntries(members.map(([name, member]) => [name, view(member, value[name])]));
}
