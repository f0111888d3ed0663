// Reads {schema, asyncapi, samples} from standard input and checks the schema
// and the samples with ajv, and the document with AsyncAPI's own parser.
// Prints one line for each complaint.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.argv[2]);
const Ajv = require("ajv/dist/2020.js").default;
const { Parser } = require("@asyncapi/parser");
const { schema, asyncapi, samples } = JSON.parse(readFileSync(0, "utf8"));

const ajv = new Ajv({ strict: true, strictTypes: false, strictTuples: false, allErrors: true, formats: { "date-time": /^\d{4}-\d\d-\d\dT/ } });
ajv.addSchema(schema, "events");
const escape = (name) => encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"));
for (const { group, name, args, valid } of samples) {
  const validate = ajv.getSchema(`events#/properties/${group}/properties/${escape(name)}`);
  if (!validate) {
    console.log(`${group} ${name}: no schema`);
  } else if (validate(args) !== valid) {
    console.log(`${group} ${name}: ${JSON.stringify(args)}: want valid=${valid}: ${ajv.errorsText(validate.errors)}`);
  }
}

const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncapi));
for (const d of diagnostics.filter((d) => d.severity === 0)) console.log(`asyncapi: ${d.message} at ${d.path.join(".")}`);
if (document) {
  const count = document.allOperations().all().length;
  if (count !== Object.keys(asyncapi.operations).length) console.log(`asyncapi: ${count} operations`);
} else {
  console.log("asyncapi: no document");
}
