import type { z } from "zod";
import type { Accounts } from "../accounts/index.ts";
import type { Audit, AuditChain } from "../audit/index.ts";
import type { BackUp } from "../backup/index.ts";
import type { Clients } from "../clients/index.ts";
import type { Doctor } from "../doctor/index.ts";
import type { Factors } from "../mfa/index.ts";
import type { ProtocolCommands, SigningKeyCommands } from "../oidc/index.ts";
import type { Sessions } from "../sessions/index.ts";
import type { RunningNodes } from "../nodes/index.ts";
import type { Migrations } from "../storage/index.ts";
import type { Webhooks } from "../webhooks/index.ts";

/** What commands work with; a running server and a store that was opened for one command both have it. */
export interface Services {
  readonly accounts: Pick<
    Accounts,
    "register" | "importPeople" | "byMail" | "list" | "find" | "findByEmail" | "disable" | "enable" | "unlock"
  >;
  readonly clients: Clients;
  readonly factors: Pick<Factors, "reset">;
  readonly sessions: Pick<Sessions, "list" | "end" | "endAll" | "endEverybodys">;
  readonly protocol: Pick<ProtocolCommands, "revokeToken">;
  readonly signingKeys: SigningKeyCommands;
  readonly audit: Pick<Audit, "list">;
  readonly auditChain: Pick<
    AuditChain,
    "readSealed" | "readPosition" | "readPositionBefore" | "sealWaiting" | "exportCheckpoint" | "verify" | "replaceKey"
  >;
  readonly webhooks: Pick<Webhooks, "add" | "list" | "remove" | "rotate" | "enable" | "disable" | "test">;
  readonly migrations: Pick<Migrations, "listPending" | "apply" | "plan">;
  /** Absent where the data are not embedded. */
  readonly backUp: BackUp | undefined;
  readonly nodes: Pick<RunningNodes, "list">;
  readonly doctor: Doctor;
  /** Where links lead to. */
  readonly issuer: string;
}

/** A command with everything it needs: it can be run here, or be sent to the server that holds the database. */
export interface Invocation {
  /** Such as `client add`. */
  readonly command: string;
  /** Plain JSON. May hold a password or a client's secret, and is never logged. */
  readonly input: unknown;
}

/** What a command has to say: `data` for programs, `text` for people. */
export interface CommandOutput {
  readonly data: unknown;
  readonly text: string;
  /** Of a command that was carried out and has found something; 0 when absent. */
  readonly exitCode?: 1 | 2 | undefined;
}

export interface Command {
  readonly name: string;
  /**
   * `current`: it finds the tables of this version or says what to do. `any`: it takes them as they are. `untouched`:
   * that too, and nothing may be changed or made before it has looked.
   */
  readonly schema: "current" | "any" | "untouched";
  /** @throws z.ZodError when the input is not what this command takes; AppError for what is refused. */
  run(services: Services, input: unknown): Promise<CommandOutput>;
}

interface CommandDefinition<Input, Result> {
  readonly name: string;
  readonly schema?: "any" | "untouched";
  readonly input: z.ZodType<Input>;
  /** Does the work; what it returns is the answer in JSON. */
  readonly run: (services: Services, input: Input) => Promise<Result>;
  /** Puts the result into words. */
  readonly describe: (result: Result) => string;
  /** For commands that judge: what scripts are told of the result. */
  readonly judge?: (result: Result) => 1 | 2 | undefined;
}

export function defineCommand<Input, Result>(definition: CommandDefinition<Input, Result>): Command {
  return {
    name: definition.name,
    schema: definition.schema ?? "current",
    async run(services, input) {
      const result = await definition.run(services, definition.input.parse(input));
      const exitCode = definition.judge?.(result);
      return { data: result, text: definition.describe(result), ...(exitCode === undefined ? {} : { exitCode }) };
    },
  };
}
