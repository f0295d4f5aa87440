// What a picture will take, told before it begins.
import * as api from "./api.js";
import { h, button, dialog } from "./dom.js";
import { body, ready } from "./draft.js";
import * as format from "./format.js";
import { on, runs, state, tell, working } from "./store.js";
import { text } from "./strings.js";

// PAUSE is how long nothing may change before it is asked for, but for the first time, and LATER
// how long a picture that begins has the machine for itself, in milliseconds.
const PAUSE = 300, LATER = 3000;

let asked = "", pending, waiting, place;

// plan has the last answer: refused is why it can't be painted, field the setting at fault.
export const plan = {
  answer: null, refused: "", field: "",
  attach(element) { place = element; draw(); },
  // putOff has a question that isn't answered yet wait, since a picture begins.
  putOff() {
    if (!waiting && !pending) return;
    clearTimeout(waiting);
    pending?.abort();
    waiting = setTimeout(ask, LATER);
  },
  fault(problem) {
    this.refused = problem.message;
    this.field = problem.field ?? "";
    tell("plan");
  },
};

export function startPlanning() {
  const wanted = () => {
    const question = ready() ? JSON.stringify(body()) : "";
    if (question === asked) return;
    const pause = asked ? PAUSE : 0;
    asked = question;
    clearTimeout(waiting);
    waiting = undefined;
    pending?.abort();
    plan.refused = plan.field = "";
    if (!question) plan.answer = null;
    else waiting = setTimeout(ask, pause);
    tell("plan");
  };
  on("draft", wanted);
  on("connection", () => { if (state.connection === "open") { asked = ""; wanted(); } });
  on("plan runs", draw);
  wanted();
}

async function ask() {
  waiting = undefined;
  const question = pending = new AbortController();
  const { signal } = question;
  try {
    plan.answer = await api.post("plan", body(), signal);
    plan.refused = plan.answer.refused ?? "";
    plan.field = "";
  } catch (problem) {
    if (signal.aborted) return;
    plan.answer = null;
    if (problem.status === 0) return;
    return plan.fault(problem);
  } finally {
    if (pending === question) pending = undefined;
  }
  tell("plan");
}

function draw() {
  if (!place) return;
  const { answer, refused } = plan;
  place.classList.toggle("refused", Boolean(refused));
  if (refused) return place.replaceChildren(h("p", { role: "alert" }, refused));
  if (!answer) return place.replaceChildren(h("p", { class: "soft" }, ready() ? text.estimating : ""));
  place.replaceChildren(
    h("p", null, h("b", null, text.about(format.seconds(answer.seconds))), h("br"), format.bytes(answer.memory),
      answer.levels?.length > 0 && [" · ", button(text.byScale, { class: "link", onclick: showLevels })]),
    // Those that it would have waited for may have ended since.
    ...[answer.waits && runs().some((run) => working(run) || run.state === "queued") && text.waits, ...(answer.remarks ?? [])].filter(Boolean).map((remark) => h("p", { class: "soft" }, remark)));
}

function showLevels() {
  const { levels } = plan.answer;
  const cells = (tag, ...all) => h("tr", null, all.map((cell, index) => h(tag === "td" && index === 0 ? "th" : tag, { scope: tag === "th" ? "col" : index === 0 ? "row" : undefined }, cell)));
  dialog(text.byScaleTitle, {}, h("p", null, text.byScaleSays), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": text.byScaleTitle }, h("table", null,
    h("thead", null, cells("th", text.scaleSize, text.iterations, text.time, text.memory)),
    h("tbody", null, levels.map((level) => cells("td", format.size(level), String(level.iterations), format.seconds(level.seconds), format.bytes(level.memory)))))),
  ...levels.filter((level) => level.remark).map((level) => h("p", { class: "hint" }, `${format.size(level)}: ${level.remark}`)));
}

