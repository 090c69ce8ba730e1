import { expect, test } from "vitest";
import { summarise } from "../../../simulator/summary.js";
import { sampleReport } from "../../support/sample-report.js";

test("a summary adds up the rounds and keeps what is null", () => {
  expect(summarise({ ...sampleReport, localOnly: null })).toEqual({
    rounds: 2,
    metric: "rmse",
    federated: 2.5,
    localOnly: null,
    naive: 2,
    bytesUp: 52_480,
    bytesDown: 66_728,
    updates: { accepted: 27, rejected: 1, duplicate: 2 },
    seconds: 15.1,
  });
});
