import { join } from "node:path";
import { expect, test } from "vitest";
import { bootId } from "../../../../device/host/boot-id.js";
import { tempFolder } from "../../../support/temp-folder.js";

const temp = tempFolder();

test("a start of the machine has one name, without the line's end", () => {
  const path = temp.write("boot_id", "1b4e28ba-2fa1-11d2-883f-0016d3cca427\n");
  expect(bootId(path)).toBe("1b4e28ba-2fa1-11d2-883f-0016d3cca427");
});

test("nothing is known where the system does not tell, or tells nothing", () => {
  expect(bootId(join(temp.path, "absent"))).toBeUndefined();
  expect(bootId(temp.write("empty", "\n"))).toBeUndefined();
});

test.runIf(process.platform === "linux")("Linux tells, and the same twice", () => {
  expect(bootId()).toMatch(/^[0-9a-f-]{36}$/);
  expect(bootId()).toBe(bootId());
});
