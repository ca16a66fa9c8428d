import type { Hours } from "./config.ts";

const DAY_MS = 86_400_000;
/** How far ahead the next opening is looked for, in days: a long holiday and its weekends. */
const AHEAD = 40;

/** Whether the team is there, and if not, when it is back (ms since the epoch; nothing if that is not known). */
export interface Presence {
  there: boolean;
  back?: number;
}

/** The clock on the wall of a time zone, as if that zone were UTC, in ms. */
function wallClock(at: number, timeZone: string): number {
  // Swedish writes dates as ISO does.
  return Date.parse(`${new Date(at).toLocaleString("sv", { timeZone }).replace(" ", "T")}Z`);
}

/** The moment at which a zone's clock shows this; twice, for a change of the clock in between. */
function moment(wall: number, timeZone: string): number {
  const near = wall - (wallClock(wall, timeZone) - wall);
  return near + wall - wallClock(near, timeZone);
}

export function presence({ time_zone, week, closed = [] }: Hours, now: number): Presence {
  const today = Math.floor(wallClock(now, time_zone) / DAY_MS);
  // From yesterday: its hours may reach past midnight.
  for (let day = today - 1; day < today + AHEAD; day++) {
    const date = new Date(day * DAY_MS);
    if (closed.includes(date.toISOString().slice(0, 10))) continue;
    for (const [from, to] of [...(week[(date.getUTCDay() + 6) % 7] ?? [])].sort()) {
      const at = (clock: string, later = 0) =>
        moment(day * DAY_MS + later + minutes(clock) * 60_000, time_zone);
      if (at(to, to <= from ? DAY_MS : 0) <= now) continue;
      return at(from) <= now ? { there: true } : { there: false, back: at(from) };
    }
  }
  return { there: false };
}

function minutes(clock: string): number {
  const [hours = 0, rest = 0] = clock.split(":").map(Number);
  return hours * 60 + rest;
}

/** A time to come in the visitor's own zone and language: the day by name, with its date when it is far. */
export function said(at: number, now: number, locale: string): string {
  const far = at - now > 6 * DAY_MS;
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return new Date(at).toLocaleString(locale, {
    ...(!today && { weekday: "long" }),
    ...(far && { day: "numeric", month: "long" }),
    hour: "numeric",
    minute: "2-digit",
  });
}
