import { type Setting, type SettingKey, SETTINGS, type SettingValues } from "./settings.ts";

/** A setting that is not at its default, so that deployments can be compared. May hold a secret. */
export interface SettingInForce {
  readonly key: SettingKey;
  /** The parts of a list, or the one value, as text. Spaces between the parts are gone, as are differences in spelling. */
  readonly values: readonly string[];
  readonly isSecret: boolean;
}

/** Everything that somebody set to something else than what it would be anyway. */
export function listSettingsInForce(values: SettingValues): readonly SettingInForce[] {
  return (Object.keys(SETTINGS) as SettingKey[]).flatMap((key): readonly SettingInForce[] => {
    const setting: Setting = SETTINGS[key];
    const parts = partsOf(values[key]);
    const usual = partsOf(setting.schema.safeParse(undefined).data);
    if (JSON.stringify(parts) === JSON.stringify(usual)) return [];
    return [{ key, values: parts, isSecret: setting.isSecret === true || parts.some(hasCredentials) }];
  });
}

function partsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((part: unknown) =>
    typeof part === "string" ? part : JSON.stringify(part),
  );
}

/** A URL with a name or a password in it. */
function hasCredentials(text: string): boolean {
  return /:\/\/[^/?#]*@/.test(text);
}
