// Numbers for people.
import { text } from "./strings.js";

const { units } = text;

// seconds is a duration: "8 s", "1 min 20 s", "2 h 5 min".
export function seconds(value) {
  if (value < 1) return units.underSecond;
  if (value < 90) return units.seconds(Math.round(value));
  const minutes = value / 60;
  if (minutes < 10) return units.minutes(Math.floor(minutes), 10 * Math.floor((value % 60) / 10));
  if (minutes < 90) return units.minutes(Math.round(minutes));
  return units.hours(Math.floor(minutes / 60), Math.floor(minutes % 60));
}

// bytes is an amount of memory: "840 MiB", "1.2 GiB".
export function bytes(value) {
  let unit = 0;
  for (; value >= 1000 && unit + 1 < units.bytes.length; unit++) value /= 1024;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units.bytes[unit]}`;
}

export const size = ({ width, height }) => `${width} × ${height}`;

// sentence is what the studio says, as a sentence of its own.
export const sentence = (says) => says.charAt(0).toUpperCase() + says.slice(1) + (/[.!?…]$/.test(says) ? "" : ".");

// short is a number with two digits or three: 0.034, 1.2, 840.
export function short(value) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Number(value.toPrecision(Math.abs(value) >= 100 ? 3 : 2)).toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: false });
}

// ago is when something was, beside now: "just now", "4 min ago", "yesterday", a date.
export function ago(time, now = Date.now()) {
  const past = (now - new Date(time).getTime()) / 1000;
  if (past < 60) return units.now;
  if (past < 3600) return units.minutesAgo(Math.floor(past / 60));
  if (past < 24 * 3600) return units.hoursAgo(Math.floor(past / 3600));
  return new Date(time).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

// scaled is the size of a picture whose longer side is given.
export function scaled({ width, height }, side) {
  const scale = side / Math.max(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

// fitted is the size of a picture whose longer side is at most given.
export function fitted({ width, height }, side) {
  return scaled({ width, height }, Math.min(side, Math.max(width, height)));
}
