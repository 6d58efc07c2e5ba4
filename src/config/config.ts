import type { PlaceOf } from "../places/index.ts";
import type { FactorPolicy } from "./factor-policy.ts";
import type { MailConfig } from "./mail-settings.ts";
import type { SettingInForce } from "./settings-in-force.ts";

/** What a running Latchkey knows about its deployment. Frozen; made by {@link loadConfig} and nowhere else. */
export interface Config {
  /** `embedded`: no DATABASE_URL, for trying out. `production`: everything else. */
  readonly mode: "embedded" | "production";
  /** Origin without a trailing slash. */
  readonly issuer: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** How long a node goes on taking requests when it is told to stop; 0 where nobody would send them elsewhere. */
  readonly shutdownDelaySeconds: number;
  /** Secrets that every key is derived from, newest first. Empty in embedded mode until the data directory is open. */
  readonly secrets: readonly string[];
  readonly database: { readonly url: string | undefined; readonly poolMax: number };
  readonly redisUrl: string | undefined;
  readonly dataDirectory: string;
  readonly migrations: "check" | "apply";
  /** How many proxies stand in front, or the networks that they stand in. */
  readonly trustedProxies: number | readonly string[];
  /** Networks, addresses and host names inside that our own requests may go to. */
  readonly outboundAllowedNetworks: readonly string[];
  /** `invitation`: only whoever an operator has invited. */
  readonly registration: "open" | "invitation" | "closed";
  /** Whether people prove their address before they have an account. */
  readonly verifiesEmail: boolean;
  readonly passwordHash: { readonly memoryKib: number; readonly passes: number };
  readonly passwords: {
    /** How long a password is at least, in characters. */
    readonly charactersMin: number;
    /** Of the list of leaked passwords; nobody is asked when absent. */
    readonly breachListUrl: string | undefined;
  };
  readonly mfa: {
    /** For clients that have no policy of their own. */
    readonly policy: FactorPolicy;
    /** How long a person may ask not to be asked again in one browser; 0: never. */
    readonly trustedBrowserSeconds: number;
  };
  readonly session: {
    readonly idleSeconds: number;
    readonly maxSeconds: number;
    /** 0: any number. */
    readonly maxPerAccount: number;
    readonly limitPolicy: "evict-oldest" | "refuse";
  };
  /** All in seconds. */
  readonly refresh: { readonly replaySeconds: number; readonly idleSeconds: number; readonly maxSeconds: number };
  /** How long events of the audit log are kept at least. */
  readonly auditRetentionDays: number;
  readonly keys: {
    /** How long a key signs; 0: until somebody rotates it. */
    readonly rotationSeconds: number;
    /** How long it is published at least before. */
    readonly leadSeconds: number;
    /** How long caches may keep what is published. */
    readonly cacheSeconds: number;
  };
  /** Limits of the revocation feed, of one node. */
  readonly feed: {
    readonly connectionsMax: number;
    readonly clientConnectionsMax: number;
    readonly bufferBytesMax: number;
  };
  readonly brand: { readonly name: string; readonly color: string; readonly logoFile: string | undefined };
  /** Roughly where an address is, by the file of places; nobody knows when absent. */
  readonly placeOf: PlaceOf | undefined;
  readonly mail: MailConfig;
  readonly links: { readonly help: string | undefined; readonly privacy: string | undefined };
  /** Where events of the audit log are written: `stdout`, or the path of a file; nowhere when absent. */
  readonly auditLog: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** Where metrics are read; absent when nothing is counted. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Where traces go; absent when nothing is traced. */
  readonly traces:
    | {
        /** Of the collector, with the path for traces. */
        readonly url: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly serviceName: string;
        /** The share of requests that are traced, from 0 to 1. */
        readonly samplingRatio: number;
      }
    | undefined;
  /** Present when the demo is served: in embedded mode, unless it was switched off. */
  readonly demo: { readonly appPort: number; readonly apiPort: number } | undefined;
  /** What all of this was made of, where it is not the default: for comparing nodes. */
  readonly settings: readonly SettingInForce[];
}

/** One thing that is wrong with the configuration, in words for the operator. */
export interface ConfigFault {
  readonly key: string;
  readonly problem: string;
  readonly example: string;
}

/** All faults at once, so that an operator mends them in one go. Its message never holds a setting's value. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ key, problem, example }) => `  ${key} ${problem}.\n    For example: ${example}`);
    super(`The configuration has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}
