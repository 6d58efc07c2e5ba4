/**
 * The demo beside an embedded Latchkey: the two programs of `examples/`, and what Latchkey must know about them.
 *
 * `startDemo` registers the app and the API (again at each start, so that changed ports are known), then serves the app
 * on one port and the API on another. Like any client they use nothing of Latchkey but what it publishes. Embedded mode
 * only: a production server has no clients that its operator did not register.
 */
export { type Demo, DemoPortInUseError, startDemo } from "./start-demo.ts";
