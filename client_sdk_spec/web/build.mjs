// Builds `dist/`: the core and the whole, each as an ES module and as a script for a tag, with types; says how large each is.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

const MODULE = { format: "esm", sourcemap: true };
// The edge serves the one file alone, so it names no map beside it.
const SCRIPT = { format: "iife", globalName: "firsthop" };
const BUNDLES = {
  "firsthop-core.mjs": { entryPoints: ["src/index.ts"], ...MODULE },
  "firsthop-core.js": { entryPoints: ["src/index.ts"], ...SCRIPT },
  "firsthop.mjs": { entryPoints: ["src/full.ts"], ...MODULE },
  "firsthop.js": { entryPoints: ["src/tag.ts"], ...SCRIPT },
};

for (const [name, how] of Object.entries(BUNDLES)) {
  const outfile = `dist/${name}`;
  await build({ outfile, bundle: true, minify: true, target: "es2022", ...how });
  const bytes = readFileSync(outfile);
  const [gzip, brotli] = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map((packed) => packed.length);
  console.log(`${outfile}: ${bytes.length} B, gzip ${gzip}, brotli ${brotli}`);
}
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" });
