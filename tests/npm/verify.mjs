// Does a library accept this message? Reads {library, secret, headers, body (base64)} and exits 0 or 1.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { library, secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
const { Webhook } = createRequire(import.meta.url)(library);
try {
  new Webhook(secret).verify(Buffer.from(body, "base64").toString("utf8"), headers);
} catch (refused) {
  console.error(refused.message);
  process.exit(1);
}
