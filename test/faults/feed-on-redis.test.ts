import { describeFeedUnderFaults } from "./feed.contract.ts";

describeFeedUnderFaults("redis");
