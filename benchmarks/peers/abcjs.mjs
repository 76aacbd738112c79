// How long does abcjs take to parse ABC texts? One JSON string a line in, the microseconds of one parse a line out.
//
// It is processor time, node's own threads included, as on one core they are in the way of each other.
//
// The first argument is the folder that abcjs is installed in.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const abcjs = createRequire(`${process.argv[2]}/`)("abcjs");

for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line);
  const began = process.cpuUsage();
  abcjs.parseOnly(text);
  const used = process.cpuUsage(began);
  console.log(used.user + used.system);
}
