/**
 * `off`: nobody is asked for a second factor, nor offered one. `optional`: whoever has one is asked for it. `required`:
 * whoever has none enrolls one during the sign-in, and no browser is trusted to go without.
 */
export const FACTOR_POLICIES = ["off", "optional", "required"] as const;

export type FactorPolicy = (typeof FACTOR_POLICIES)[number];
