/** Runs the orders API by itself: `ISSUER=… AUDIENCE=… APP_ORIGIN=… PORT=3002 node examples/api/server.ts` */
import { createOrdersApi } from "./orders-api.ts";

const {
  ISSUER: issuer = "http://localhost:3000",
  AUDIENCE: audience = "http://localhost:3002",
  APP_ORIGIN: appOrigin = "http://localhost:3001",
  PORT: port = "3002",
} = process.env;

createOrdersApi({ issuer, audience, appOrigin }).listen(Number(port), "localhost", () => {
  console.log(`Orders API on http://localhost:${port}, for tokens from ${issuer}`);
});
