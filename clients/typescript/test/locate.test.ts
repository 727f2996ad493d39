import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { locate, type Surroundings } from "../src/locate.js";
import { EXECUTABLE } from "../src/platform.js";

const ROOT = mkdtempSync(join(tmpdir(), "locate-"));
after(() => rmSync(ROOT, { recursive: true }));

/** Makes files below a folder of its own, and returns what surrounds an app there. */
function around(name: string, files: string[], env: Record<string, string> = {}): Surroundings {
  const root = join(ROOT, name);
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
    chmodSync(join(root, file), 0o755);
  }
  const path = { PATH: [join(root, "empty"), join(root, "bin")].join(process.platform === "win32" ? ";" : ":") };
  return { env: { ...path, ...env }, execPath: join(root, "app", "app"), resourcesPath: join(root, "resources") };
}

const IN_APP = join("app", EXECUTABLE);
const IN_APPS_FOLDER = join("app", "llm-sidecar", EXECUTABLE);
const IN_RESOURCES = join("resources", EXECUTABLE);
const IN_RESOURCES_FOLDER = join("resources", "llm-sidecar", EXECUTABLE);
const ON_PATH = join("bin", EXECUTABLE);

/** In each row the first file is to be found. */
const ROWS = [
  [IN_APP, IN_RESOURCES, ON_PATH],
  [IN_APPS_FOLDER, IN_RESOURCES_FOLDER, ON_PATH],
  [IN_RESOURCES, ON_PATH],
  [IN_RESOURCES_FOLDER, ON_PATH],
  [ON_PATH],
];

test("the option comes first, then the variable", () => {
  const surroundings = around("named", [IN_APP, ON_PATH], { LLM_SIDECAR: "/opt/other" });
  assert.equal(locate("/opt/mine", surroundings), "/opt/mine");
  assert.equal(locate(undefined, surroundings), "/opt/other");
});

for (const [index, files] of ROWS.entries()) {
  test(`${files[0]} is found first of ${files.join(", ")}`, () => {
    assert.equal(locate(undefined, around(`row-${index}`, files)), join(ROOT, `row-${index}`, files[0] ?? ""));
  });
}

test("without any, the error says so", () => {
  const nowhere = around("none", [join("bin", "other")]);
  assert.throws(() => locate(undefined, nowhere), { type: "sidecar_not_found", category: "config", retryable: false });
});
