import { z } from "zod";

const share = z.number().min(0).max(1);

/** What a node says of itself; read by nodes and programs of other versions, which leave out what they do not know. */
export const nodeReportSchema = z.object({
  /** Host name and port: where an operator finds it. */
  name: z.string(),
  version: z.string(),
  /** Of oidc-provider. */
  libraryVersion: z.string(),
  settings: z.object({
    plain: z.record(z.string(), z.string()),
    secret: z.record(z.string(), z.record(z.string(), z.string())),
    secretNames: z.array(z.string()).readonly(),
  }),
  /** How far its clock is ahead of the database's, in milliseconds. */
  clockOffsetMs: z.number(),
  /** The keys that it publishes. */
  kids: z.array(z.string()).readonly(),
  /** What came by the proxies of late, as shares of all requests; absent before there was any. */
  proxy: z
    .object({
      /** Forwarded headers from somebody who is not trusted. */
      untrusted: share,
      /** For another host than the issuer's. */
      otherHost: share,
      /** By another protocol than the issuer's, as a trusted proxy says. */
      otherProtocol: share,
    })
    .optional(),
});

export type NodeReport = z.infer<typeof nodeReportSchema>;

/** A server that was heard of within the last seconds. */
export interface RunningNode extends NodeReport {
  /** Random, and another one after each start. */
  readonly id: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
}
