import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../src/", import.meta.url);

/** Classes that a sheet styles wherever they stand, with nothing around them in the selector. */
function bareClasses(sheet: string): Set<string> {
  const text = readFileSync(new URL(sheet, folder), "utf8").replaceAll(/\/\*.*?\*\//gs, "").replaceAll(/@media[^{]*\{/g, "");
  const selectors = [...text.matchAll(/([^{}]+)\{/g)].flatMap(([, list = ""]) => list.split(","));
  return new Set(selectors.map((selector) => selector.trim()).filter((selector) => /^\.[\w-]+$/.test(selector)));
}

test("no two sheets style the same class, as all of them hold on every page", () => {
  const owners = new Map<string, string>();
  for (const sheet of readdirSync(folder).filter((name) => name.endsWith(".css"))) {
    for (const name of bareClasses(sheet)) {
      assert.equal(owners.get(name), undefined, `${name} is styled by ${owners.get(name)} and by ${sheet}`);
      owners.set(name, sheet);
    }
  }
});
