import { expect, test } from "vitest";
import { isZone, LocalDays } from "../../../shared/zone.js";

const dayNumber = (date: string) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

// First instants of local days by the tz database, as Python's zoneinfo gives them.
test.each([
  ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z"],
  ["Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00.000Z"],
  ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z"],
  ["Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00.000Z"],
  // Midnight was skipped: the day began at 01:00.
  ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"],
  ["America/Sao_Paulo", "2018-11-05", "2018-11-05T02:00:00.000Z"],
  // Midnight came twice: the day began with the first.
  ["America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"],
  // Half an hour of daylight saving.
  ["Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00.000Z"],
  ["Australia/Lord_Howe", "2026-04-06", "2026-04-05T13:30:00.000Z"],
  ["Asia/Kathmandu", "1969-12-30", "1969-12-29T18:30:00.000Z"],
])("in %s %s begins at %s", (zone, date, instant) => {
  const days = new LocalDays(zone, 0);
  const day = dayNumber(date);
  const startMs = Date.parse(instant);
  expect(new Date(days.startMs(day)).toISOString()).toBe(instant);
  expect([days.dayOf(startMs - 1), days.dayOf(startMs)]).toEqual([day - 1, day]);
});

test("a day may begin at another hour, and a skipped one at the jump", () => {
  const startOf = (timeOfDayMs: number, date: string) =>
    new Date(new LocalDays("Europe/Berlin", timeOfDayMs).startMs(dayNumber(date))).toISOString();
  expect(startOf(6 * 3_600_000, "2026-03-29")).toBe("2026-03-29T04:00:00.000Z");
  expect(startOf(2.5 * 3_600_000, "2026-03-29")).toBe("2026-03-29T01:00:00.000Z");
});

test("days follow one another without gap or overlap, also over years of changes", () => {
  const days = new LocalDays("America/New_York", 0);
  for (let day = dayNumber("2024-01-01"); day < dayNumber("2027-01-01"); day++) {
    const hours = (days.startMs(day + 1) - days.startMs(day)) / 3_600_000;
    expect([23, 24, 25]).toContain(hours);
    expect(days.dayOf(days.startMs(day + 1) - 1)).toBe(day);
  }
});

test("zones are known by name", () => {
  expect(["Europe/Berlin", "UTC", "Mars/Olympus"].map(isZone)).toEqual([true, true, false]);
});
