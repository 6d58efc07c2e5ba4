import { describeFeedUnderFaults } from "./feed.contract.ts";

describeFeedUnderFaults("postgres");
