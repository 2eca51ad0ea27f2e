// Builds `dist/`: the core and the whole, each as an ES module and as a script for a tag, with types; says how large each is.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { build } from "esbuild";

const BUNDLES = { "firsthop-core": "src/index.ts", firsthop: "src/full.ts" };
const FORMATS = { mjs: "esm", js: "iife" };

for (const [name, entry] of Object.entries(BUNDLES)) {
  for (const [extension, format] of Object.entries(FORMATS)) {
    const outfile = `dist/${name}.${extension}`;
    const script = format === "iife" ? { globalName: "firsthop" } : {};
    await build({ entryPoints: [entry], outfile, format, bundle: true, minify: true, target: "es2022", sourcemap: true, ...script });
    const bytes = readFileSync(outfile);
    const [gzip, brotli] = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)].map((packed) => packed.length);
    console.log(`${outfile}: ${bytes.length} B, gzip ${gzip}, brotli ${brotli}`);
  }
}
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], { stdio: "inherit" });
