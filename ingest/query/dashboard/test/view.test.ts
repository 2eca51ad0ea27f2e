import assert from "node:assert/strict";
import { test } from "node:test";
import { commonParameters, filterParameters, formatView, parseTarget, parseView } from "../src/view.ts";

test("a view survives the address bar", () => {
  const search = "?page=privacy&app=shop&range=24h&signal=lcp&q=0.99&metric=dns&version=5.2.1&version=5.3.0&country=DE&route=GET+x%2F%7Bid%7D&target=400&sort=errors&find=cart&traces=slow&live=1";
  assert.equal(formatView(parseView(search)), search);
});

test("a span belongs to a trace: alone it is dropped", () => {
  assert.equal(formatView(parseView("?trace=ab&span=cd")), "?trace=ab&span=cd");
  assert.equal(formatView(parseView("?span=cd")), "");
});

test("the default view has an empty address", () => {
  assert.equal(formatView(parseView("")), "");
});

test("what is not known is left at its default", () => {
  assert.equal(formatView(parseView("?page=cookies&range=3y&q=2&metric=smell&traces=none&live=yes&other=1")), "");
});

test("a range dragged out of the chart wins over the preset", () => {
  const view = parseView("?range=7d&from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z");
  assert.equal(commonParameters(view).toString(), "from=2026-01-01T00%3A00%3A00Z&to=2026-01-01T01%3A00%3A00Z");
});

test("old links to the latency page open the overview", () => {
  assert.equal(parseView("?page=latency&app=shop&q=0.5").page, "overview");
});

test("a target is a whole number of milliseconds, else the usual one", () => {
  for (const text of ["0", "-5", "1e3", "fast", "99999999", ""]) assert.equal(parseView(`?target=${text}`).target, 1000);
  assert.equal(parseTarget(" 250 "), 250);
  assert.equal(parseTarget("0"), null);
});

test("half a range is no range", () => {
  assert.equal(commonParameters(parseView("?from=2026-01-01T00:00:00Z")).toString(), "from=-1h");
});

test("figures are asked for of one signal, requests unless another is chosen", () => {
  assert.equal(filterParameters(parseView("")).get("signal"), null);
  assert.equal(filterParameters(parseView("?signal=cls")).get("signal"), "cls");
  assert.equal(commonParameters(parseView("?signal=cls")).get("signal"), null);
});

test("every value of a filter is asked for", () => {
  const query = filterParameters(parseView("?version=1&version=2&route=r"));
  assert.deepEqual(query.getAll("version"), ["1", "2"]);
  assert.equal(query.get("route"), "r");
});
