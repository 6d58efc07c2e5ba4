import { createServer } from "node:http";
import { createCustomaryProvider, customaryOptions } from "./provider.ts";

/** The program of the `customary` variant: its only argument is its options, as JSON. */
const options = customaryOptions.parse(JSON.parse(process.argv[2] ?? "{}"));
const provider = await createCustomaryProvider(options);
const answer = provider.callback();
const server = createServer((request, response) => void answer(request, response));
server.listen(Number(new URL(options.issuer).port), "127.0.0.1");
