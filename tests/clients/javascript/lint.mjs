// What Redocly's linter says of documents: one line for each problem, none where all is well.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"], rules: { "info-license": "off", "operation-4xx-response": "off" } });
for (const ref of process.argv.slice(2)) {
  for (const { severity, ruleId, message, location } of await lint({ ref, config })) {
    console.log(severity, ruleId, message, location[0]?.pointer);
  }
}
