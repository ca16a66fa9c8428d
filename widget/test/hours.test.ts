import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hours } from "../src/config.ts";
import { presence, said } from "../src/hours.ts";

const NINE_TO_FIVE: Hours["week"] = [...Array(5).fill([["09:00", "17:00"]]), [], []];
const berlin = (more: Partial<Hours> = {}): Hours => ({
  time_zone: "Europe/Berlin",
  week: NINE_TO_FIVE,
  ...more,
});
const at = (hours: Hours, when: string) => {
  const { there, back } = presence(hours, Date.parse(when));
  return there ? "there" : back && new Date(back).toISOString().slice(0, 16);
};

test("the team is there from the first minute to the last, by its own clock", () => {
  assert.equal(at(berlin(), "2026-11-25T07:59Z"), "2026-11-25T08:00");
  assert.equal(at(berlin(), "2026-11-25T08:00Z"), "there");
  assert.equal(at(berlin(), "2026-11-25T15:59Z"), "there");
  assert.equal(at(berlin(), "2026-11-25T16:00Z"), "2026-11-26T08:00");
});

test("after Friday comes Monday", () => {
  assert.equal(at(berlin(), "2026-11-27T20:00Z"), "2026-11-30T08:00");
});

test("a closed day is passed over", () => {
  assert.equal(at(berlin({ closed: ["2026-12-24", "2026-12-25"] }), "2026-12-23T20:00Z"), "2026-12-28T08:00");
});

test("a change of the clock between now and then is counted in", () => {
  assert.equal(at(berlin(), "2026-03-27T20:00Z"), "2026-03-30T07:00");
  assert.equal(at(berlin(), "2026-10-23T20:00Z"), "2026-10-26T08:00");
});

test("hours that reach past midnight belong to the day on which they began", () => {
  const night = berlin({ week: [[["22:00", "02:00"]], [], [], [], [], [], []] });
  assert.equal(at(night, "2026-11-24T00:30Z"), "there");
  assert.equal(at(night, "2026-11-24T01:00Z"), "2026-11-30T21:00");
});

test("a break divides the day, whatever the order in which its parts are told", () => {
  const parted = berlin({
    week: Array(7).fill([
      ["14:00", "18:00"],
      ["08:00", "12:00"],
    ]),
  });
  assert.equal(at(parted, "2026-11-25T11:30Z"), "2026-11-25T13:00");
});

test("a week without hours is away for ever, and promises nothing", () => {
  assert.deepEqual(presence(berlin({ week: [[], [], [], [], [], [], []] }), Date.now()), { there: false });
});

test("the other side of the date line has its own day", () => {
  const tokyo = { time_zone: "Asia/Tokyo", week: NINE_TO_FIVE };
  assert.equal(at(tokyo, "2026-11-29T23:59Z"), "2026-11-30T00:00");
  assert.equal(at(tokyo, "2026-11-30T00:00Z"), "there");
});

test("a time today is said by the hour, another day by its name, a far one by its date", () => {
  const now = new Date(2026, 10, 25, 7).getTime();
  const say = (day: number) => said(new Date(2026, 10, day, 9).getTime(), now, "en-GB");
  assert.match(say(25), /^0?9:00$/);
  assert.match(say(26), /^Thursday.* 0?9:00$/);
  assert.match(say(40), /10 December.* 0?9:00$/);
});
