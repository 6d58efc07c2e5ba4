/** What a worker tells its supervisor when it takes requests. */
export const READY = "latchkey:ready";
