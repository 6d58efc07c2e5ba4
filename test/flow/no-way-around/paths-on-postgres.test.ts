import { testEveryPath } from "./matrix.ts";

testEveryPath("postgres", "client");
