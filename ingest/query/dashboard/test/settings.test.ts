import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change } from "../src/settings.ts";
import { actionName, actorName, changeText, originsOf } from "../src/settings.ts";

function change(part: Partial<Change>): Change {
  return { id: 1, at: "2026-03-01T12:00:00Z", actor: "key:9c41", role: "owner", action: "key.create", subject: "3f2a", before: null, after: null, ...part };
}

test("what is new is told without what is empty", () => {
  assert.equal(changeText(change({ after: { role: "token", label: "wall", origins: [] } })), "Viewer; label: wall");
});

test("of what was changed only the difference is told", () => {
  const before = { origins: [], name: "web" };
  const after = { origins: ["https://a.example", "https://b.example"], name: "web" };
  assert.equal(changeText(change({ before, after })), "origins: any → https://a.example, https://b.example");
});

test("members within members are told in words", () => {
  const when = { kind: "latency", above_ms: 300 };
  assert.equal(changeText(change({ after: { when, filters: { country: ["BR"] }, annotations: {} } })), "when: kind latency, above_ms 300; filters: country BR");
});

test("an action that the page does not know keeps its own words", () => {
  assert.equal(actionName("key.revoke"), "Key revoked");
  assert.equal(actionName("rule.set_up"), "Rule: set up");
});

test("a user of the proxy is called as the proxy calls them", () => {
  assert.equal(actorName(change({ actor: "user:jane:doe@shop.example" })), "jane:doe@shop.example");
  assert.equal(actorName(change({})), "key 9c41");
  assert.equal(actorName(change({ actor: "command line" })), "command line");
});

test("origins stand between blanks or commas", () => {
  assert.deepEqual(originsOf(" https://a.example, https://b.example\nhttp://c.example:3000 "), [
    "https://a.example", "https://b.example", "http://c.example:3000",
  ]);
  assert.deepEqual(originsOf("  "), []);
});
