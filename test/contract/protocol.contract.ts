import { describe } from "vitest";
import { adapterEndingsContract } from "./adapter-endings.contract.ts";
import { adapterModelsContract } from "./adapter-models.contract.ts";
import { adapterRacesContract } from "./adapter-races.contract.ts";
import { adapterRefreshesContract } from "./adapter-refreshes.contract.ts";
import { adapterTripsContract } from "./adapter-trips.contract.ts";
import type { Ground } from "./grounds.ts";
import { sessionEndingsContract } from "./session-endings.contract.ts";
import { sessionLimitContract } from "./session-limit.contract.ts";
import { protocolStoreContract } from "./protocol-store.contract.ts";

/** The port and everything that stands on it, on one of the stores. Each part opens a ground of its own. */
export function protocolContract(openGround: () => Promise<Ground>): void {
  describe("the store", () => {
    protocolStoreContract(openGround);
  });
  describe("models", () => {
    adapterModelsContract(openGround);
  });
  describe("races", () => {
    adapterRacesContract(openGround);
  });
  describe("refreshes", () => {
    adapterRefreshesContract(openGround);
  });
  describe("endings", () => {
    adapterEndingsContract(openGround);
  });
  describe("sessions", () => {
    sessionEndingsContract(openGround);
    sessionLimitContract(openGround);
  });
  describe("trips", () => {
    adapterTripsContract(openGround);
  });
}
