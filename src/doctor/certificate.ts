import { isIP } from "node:net";
import { connect } from "node:tls";

const TIMEOUT_MS = 5_000;

/** The certificate that the issuer's host shows. */
export interface Certificate {
  /** Why clients refuse it, by Node's name for it; absent when they accept it. */
  readonly refusal: string | undefined;
  readonly validToMs: number;
}

export type ReadCertificate = (issuer: string) => Promise<Certificate>;

/** Looks at it without believing it: of one that is refused, too, an operator wants to know what is wrong. */
export const readCertificate: ReadCertificate = (issuer) => {
  const { hostname, port } = new URL(issuer);
  const { promise, resolve, reject } = Promise.withResolvers<Certificate>();
  const host = hostname.replace(/^\[|\]$/g, "");
  // An address is no server name (RFC 6066, section 3).
  const servername = isIP(host) === 0 ? host : "";
  const socket = connect({ host, port: Number(port || 443), servername, rejectUnauthorized: false }, () => {
    const { valid_to: validTo } = socket.getPeerCertificate();
    const { authorized, authorizationError } = socket;
    const refusal = authorized ? undefined : nameOf(authorizationError);
    resolve({ refusal, validToMs: Date.parse(validTo) });
    socket.destroy();
  });
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  socket.once("error", reject);
  return promise;
};

/** The types say that it is an error; Node's documentation and the program itself may have the name alone. */
function nameOf(error: unknown): string {
  if (error instanceof Error) return "code" in error ? String(error.code) : error.message;
  return String(error);
}
