// Reads an AsyncAPI document with the official parser and prints what it complains of, one JSON object per line.
// Usage: node parse_asyncapi.mjs DOCUMENT. Exit status 0 only where there is no error.

import { readFile } from "node:fs/promises";
import process from "node:process";

import { Parser } from "@asyncapi/parser";

const ERROR = 0; // the most severe level of the parser's diagnostics

const text = await readFile(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);

for (const { code, message, path, severity } of diagnostics) {
  console.log(JSON.stringify({ code, message, path: path.join("/"), severity }));
}
if (document === undefined || diagnostics.some((diagnostic) => diagnostic.severity === ERROR)) {
  process.exitCode = 1;
} else {
  const counted = { operations: document.operations().length, messages: document.components().messages().length };
  console.log(JSON.stringify(counted));
}
