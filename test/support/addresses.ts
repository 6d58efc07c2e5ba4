import { randomBytes } from "node:crypto";

/** Of the network for benchmarks (RFC 2544), one that hardly anybody came from before: what is limited by address is not. */
export const anyAddress = (): string => `198.18.${randomBytes(2).join(".")}`;

/** For a request by way of a proxy that the server trusts. */
export const fromAnywhere = (): Readonly<Record<string, string>> => ({ "x-forwarded-for": anyAddress() });
