import assert from "node:assert/strict";
import { test } from "node:test";
import { Configurations } from "../src/configurations.js";

const OPENAI = { provider: "openai", model: "one" };
const SECOND = { provider: "openai", id: "second" };

test("what was configured is configured again, then activated", () => {
  const made = new Configurations();
  made.succeeded(1, "providers.configure", { config: OPENAI }, {});
  made.succeeded(2, "providers.configure", { config: SECOND }, {});
  made.succeeded(3, "providers.set_active", { provider: "openai" }, {});
  made.succeeded(4, "providers.list", {}, {});
  assert.deepEqual(made.repeats(), [
    { method: "providers.configure", params: { config: OPENAI } },
    { method: "providers.configure", params: { config: SECOND } },
    { method: "providers.set_active", params: { provider: "openai" } },
  ]);
});

test("one call that configures and activates stays one call", () => {
  const made = new Configurations();
  made.succeeded(1, "providers.set_active", { config: SECOND }, {});
  made.succeeded(2, "providers.configure", { config: OPENAI }, {});
  assert.deepEqual(made.repeats(), [
    { method: "providers.set_active", params: { config: SECOND } },
    { method: "providers.configure", params: { config: OPENAI } },
  ]);
});

test("the later configuration counts, whichever reply came first", () => {
  const made = new Configurations();
  const changed = { ...OPENAI, model: "two" };
  made.succeeded(2, "providers.configure", { config: changed }, {});
  made.succeeded(1, "providers.set_active", { config: OPENAI }, {});
  assert.deepEqual(made.repeats(), [
    { method: "providers.configure", params: { config: changed } },
    { method: "providers.set_active", params: { provider: "openai" } },
  ]);
});

test("what was removed is forgotten, with its being active", () => {
  const made = new Configurations();
  made.succeeded(1, "providers.set_active", { config: SECOND }, {});
  made.succeeded(2, "providers.remove", { provider: "second" }, { removed: true });
  assert.deepEqual(made.repeats(), []);
});

test("what was not there to be removed stays active", () => {
  const made = new Configurations();
  made.succeeded(1, "providers.set_active", { provider: "ollama" }, {});
  made.succeeded(2, "providers.remove", { provider: "ollama" }, { removed: false });
  assert.deepEqual(made.repeats(), [{ method: "providers.set_active", params: { provider: "ollama" } }]);
});
