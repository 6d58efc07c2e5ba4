import { expect, test } from "vitest";
import { listPeopleLike, type PersonState } from "./person-state.ts";

const recorded: PersonState = {
  session: { jti: "session-id", uid: "session-uid", accountId: "account", authorizations: { "shop-web": {} } },
  grant: { jti: "grant-id", accountId: "account" },
  predecessor: { jti: "first-token", grantId: "grant-id", sessionUid: "session-uid", scope: "openid" },
  refreshToken: { jti: "second-token", grantId: "grant-id", sessionUid: "session-uid", scope: "openid" },
};

test("people have identifiers of their own that still point to each other", () => {
  const [first, second] = [...listPeopleLike(recorded, 2)];
  expect(first?.refreshToken.jti).not.toBe(second?.refreshToken.jti);
  expect(first?.refreshToken.jti).toHaveLength("second-token".length);
  expect(first?.refreshToken.grantId).toBe(first?.grant.jti);
  expect(first?.refreshToken.sessionUid).toBe(first?.session.uid);
});

test("whatever identifies nobody is as it was recorded", () => {
  const [person] = [...listPeopleLike(recorded, 1)];
  expect(person?.refreshToken.scope).toBe("openid");
  expect(person?.session.authorizations).toHaveProperty("shop-web");
});
