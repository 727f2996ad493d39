import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { isObject } from "../conformance/json.js";
import { DEFINITIONS, PROTOCOL, Validators } from "../conformance/schema.js";
import { known } from "../probe/known.js";
import type { Check } from "../src/check.js";
import * as shapes from "../src/shapes.js";

interface Sample {
  readonly type: string;
  readonly name: string;
  readonly value: unknown;
  /** The value encoded again. */
  readonly encoded: unknown;
}

const FOLDER = new URL("samples/", PROTOCOL);
const ENCODED = ".encoded.json";
const PACKAGE = new URL("../../", import.meta.url);
const TAGS = new Set(
  Object.values(DEFINITIONS).flatMap(({ discriminator }) =>
    isObject(discriminator) ? Object.keys(discriminator["mapping"] as object) : [],
  ),
);
/** What only a validator refuses; the types of a language have no ranges. */
const FOR_VALIDATORS = "range-";

function samples(kind: "valid" | "invalid"): Sample[] {
  const paths = (readdirSync(FOLDER, { recursive: true }) as string[]).map((path) => path.replaceAll("\\", "/"));
  const again = new Set(paths.filter((path) => path.endsWith(ENCODED)));
  const chosen = paths.filter((path) => path.includes(`/${kind}/`) && path.endsWith(".json") && !again.has(path));
  return chosen.sort().map((path) => {
    const [type = "", , name = ""] = path.split("/");
    const encoded = path.replace(/\.json$/, ENCODED);
    return { type, name, value: read(path), encoded: read(again.has(encoded) ? encoded : path) };
  });
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, FOLDER), "utf8")) as unknown;
}

function label({ type, name }: Sample): string {
  return `${type}/${name}`;
}

/** Returns the check that the client holds such values against, where it receives any. */
function checkOf({ type }: Sample): Check | undefined {
  return (shapes as unknown as Readonly<Record<string, Check | undefined>>)[type];
}

const VALID = samples("valid");
const INVALID = samples("invalid");
const validators = new Validators("loosened");

test("a validator takes every valid sample, and refuses every invalid one", () => {
  assert.deepEqual(VALID.filter(({ type, value }) => validators.wrong(type, value) !== undefined).map(label), []);
  assert.deepEqual(INVALID.filter(({ type, value }) => validators.wrong(type, value) === undefined).map(label), []);
});

test("the client takes every valid sample of what it receives, and refuses every invalid one", () => {
  const received = VALID.filter(checkOf);
  assert(received.length > 100);
  assert.deepEqual(received.filter((sample) => checkOf(sample)?.(sample.value) !== undefined).map(label), []);
  const refusable = INVALID.filter(checkOf).filter(({ name }) => !name.startsWith(FOR_VALIDATORS));
  assert(refusable.length > 50);
  assert.deepEqual(refusable.filter((sample) => checkOf(sample)?.(sample.value) === undefined).map(label), []);
});

test("what the types know of a sample is the sample encoded again", () => {
  for (const sample of VALID) assert.deepEqual(known(sample.type, sample.value), sample.encoded, label(sample));
});

test("the compiler takes every valid sample, and misses what is missing", () => {
  const missing = INVALID.filter(({ name }) => name.startsWith("missing-"));
  assert(missing.length > 20);
  const refused = refusedByCompiler([...VALID, ...missing]);
  assert.deepEqual(refused.map(label), missing.map(label));
});

const SOURCE = fileURLToPath(new URL("test/samples.generated.ts", PACKAGE));
after(() => rmSync(SOURCE, { force: true }));

/** Where a value is written out, the compiler refuses members that it does not know; encoded again it has none. */
function statement({ type, encoded }: Sample): string {
  return `((_: protocol.${type}) => {})(${literal(encoded)});`;
}

/** Returns the value as TypeScript, in which an unknown tag must be said to be one. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (!isObject(value)) return oneLine(JSON.stringify(value));
  const members = Object.entries(value).map(([name, inner]) => {
    const isTag = name === "type" && typeof inner === "string" && !TAGS.has(inner);
    return `${oneLine(JSON.stringify(name))}: ${literal(inner)}${isTag ? " as string as protocol.UnknownTag" : ""}`;
  });
  return `{ ${members.join(", ")} }`;
}

/** Returns JSON without the characters that end a line in TypeScript, but not in JSON. */
function oneLine(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);
}

/** Returns the samples in which the compiler finds an error. */
function refusedByCompiler(samples: Sample[]): Sample[] {
  writeFileSync(SOURCE, [...samples.map(statement), `import type * as protocol from "../src/protocol.js";`].join("\n"));
  const config = ts.readConfigFile(fileURLToPath(new URL("tsconfig.json", PACKAGE)), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, fileURLToPath(PACKAGE));
  const program = ts.createProgram([SOURCE], { ...options, noEmit: true, types: [], rootDir: fileURLToPath(PACKAGE) });
  const lines = ts.getPreEmitDiagnostics(program).map(({ file, start = 0 }) => {
    assert.equal(file?.fileName, SOURCE);
    return file.getLineAndCharacterOfPosition(start).line;
  });
  return samples.filter((_, index) => lines.includes(index));
}
