/**
 * The deployment's settings: from a file and the environment to one frozen, typed {@link Config}.
 *
 * `settings.ts` is the table of all settings; every fault is reported at once; unknown keys are faults. Nothing else
 * reads the environment.
 */
export { type Config, ConfigError } from "./config.ts";
export { FACTOR_POLICIES, type FactorPolicy } from "./factor-policy.ts";
export { type ConfigReport, defaultOf, inspectConfig } from "./inspect-config.ts";
export { loadConfig, type Purpose } from "./load-config.ts";
export type { MailSender, SmtpServer } from "./mail-settings.ts";
export type { SettingInForce } from "./settings-in-force.ts";
export { type Setting, type SettingKey, SETTINGS } from "./settings.ts";
