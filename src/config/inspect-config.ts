import type { ConfigFault } from "./config.ts";
import { type Environment, readSettings, type SettingOrigin, warningsOf } from "./load-config.ts";
import { type Setting, type SettingKey, SETTINGS } from "./settings.ts";

/** A setting as an operator may see it. */
export interface InspectedSetting {
  readonly key: SettingKey;
  /** What is in force; `set` for a secret, absent where nothing is. */
  readonly value: string | undefined;
  readonly origin: SettingOrigin | "default";
}

export interface ConfigReport {
  /** Empty when the server would start with these settings. */
  readonly faults: readonly ConfigFault[];
  /** What works, and does without something that most deployments want. */
  readonly warnings: readonly string[];
  readonly settings: readonly InspectedSetting[];
}

/**
 * Reads the settings as `loadConfig` does and reports on them without a secret's value.
 *
 * @param environment the process's own when absent.
 */
export function inspectConfig(environment: Environment = process.env): ConfigReport {
  const { raw, values, faults } = readSettings(environment, "server");
  const keys = Object.keys(SETTINGS) as SettingKey[];
  const settings = keys.map((key): InspectedSetting => {
    const given = raw.get(key);
    if (given === undefined) return { key, value: defaultOf(SETTINGS[key]), origin: "default" };
    return { key, value: isSecret(SETTINGS[key]) ? "set" : given.text, origin: given.origin };
  });
  return { faults, warnings: warningsOf(values), settings };
}

/** A setting's default as it would be written; `undefined` where there is none. */
export function defaultOf(setting: Setting): string | undefined {
  const { data } = setting.schema.safeParse(undefined);
  return typeof data === "string" || typeof data === "number" ? String(data) : undefined;
}

function isSecret(setting: Setting): boolean {
  return setting.isSecret === true;
}
