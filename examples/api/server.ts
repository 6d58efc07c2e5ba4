/** Runs the orders API by itself: `ISSUER=… AUDIENCE=… CLIENT_ID=… CLIENT_SECRET=… node examples/api/server.ts` */
import { createOrdersApi } from "./orders-api.ts";

const {
  ISSUER: issuer = "http://localhost:3000",
  AUDIENCE: audience = "http://localhost:3002",
  APP_ORIGIN: appOrigin = "http://localhost:3001",
  CLIENT_ID: id = "demo-api",
  CLIENT_SECRET: secret,
  PORT: port = "3002",
} = process.env;

if (secret === undefined) {
  console.error(`Set CLIENT_SECRET to the secret of the client ${id}; "latchkey apply" printed it.`);
  process.exit(1);
}

createOrdersApi({ issuer, audience, appOrigin, client: { id, secret } }).listen(Number(port), "localhost", () => {
  console.log(`Orders API on http://localhost:${port}, for tokens from ${issuer}`);
});
