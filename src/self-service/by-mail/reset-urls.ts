export const RESET_PAGE = "/reset-password";

export function newPasswordUrl(token: string): string {
  return `${RESET_PAGE}/new?token=${encodeURIComponent(token)}`;
}

export function resetFactorUrl(page: "second-factor" | "passkey" | "recovery-code", token: string): string {
  return `${RESET_PAGE}/${page}?token=${encodeURIComponent(token)}`;
}
