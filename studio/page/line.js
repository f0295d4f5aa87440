// How far a run is, in words.
import * as format from "./format.js";
import { unfinished } from "./store.js";
import { text } from "./strings.js";

// lineOf is how far a run is, in a line.
export function lineOf(run) {
  const p = run.progress;
  switch (run.state) {
  case "queued": return text.inQueue(run.queue_position ?? 1, run.plan && format.seconds(run.plan.seconds));
  case "starting": return text.starting;
  case "pausing": return text.pausing;
  case "stopping": return text.stopping;
  case "failed": return "";
  }
  const parts = [];
  if (run.state === "running" && p?.remaining_seconds > 0) parts.push(text.left(format.seconds(p.remaining_seconds)));
  if (run.state === "paused") parts.push(text.pausedSays);
  if (run.state === "finished") parts.push(text.finishedSays(p ? format.seconds(p.seconds) : ""));
  if (run.state === "stopped") parts.push(text.stoppedSays(p ? format.seconds(p.seconds) : ""));
  if (p && unfinished(run)) parts.push(text.scaleOf(p.level, p.levels), format.size(p), run.state === "running" && text.iterationOf(p.iteration, p.iterations));
  else if (p) parts.push(format.size(run.state === "finished" ? run.size : p), text.iterationsMade(p.done));
  if (run.state === "running" && run.plan?.memory) parts.push(format.bytes(run.plan.memory));
  return parts.filter(Boolean).join(" · ");
}
