import { once } from "node:events";
import { createServer } from "node:http";
import { runChildServer } from "../variants/child-server.ts";
import { createCustomaryProvider, customaryOptions } from "./provider.ts";

/** The worker process of the `customary` variant. */
await runChildServer(async (input) => {
  const options = customaryOptions.parse(input);
  const provider = await createCustomaryProvider(options);
  const answer = provider.callback();
  const server = createServer((request, response) => void answer(request, response));
  server.listen(Number(new URL(options.issuer).port), "127.0.0.1");
  await once(server, "listening");
  return {};
});
