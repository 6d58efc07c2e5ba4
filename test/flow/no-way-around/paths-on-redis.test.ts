import { testEveryPath } from "./matrix.ts";

testEveryPath("redis", "deployment");
