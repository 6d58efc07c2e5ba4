/** Whether this origin is one that leads to the machine itself. */
export function isLoopbackOrigin(origin: string): boolean {
  const { hostname } = new URL(origin);
  return ["localhost", "127.0.0.1", "[::1]"].includes(hostname) || hostname.endsWith(".localhost");
}
