// Six small pictures at once, of six losses or six values of a setting; one of them is
// then painted large.
import { paintAs } from "./again.js";
import * as api from "./api.js";
import { button, dialog, h, id } from "./dom.js";
import { body, defaultOf, draft, ready, setting, withSize } from "./draft.js";
import * as format from "./format.js";
import { lineOf } from "./line.js";
import { Live } from "./live.js";
import { plan } from "./plan.js";
import { ask, groupOf, on, show, state, unfinished } from "./store.js";
import { text } from "./strings.js";
import { say, toast } from "./toast.js";
import { shape } from "./zoom.js";

const SIX = 6;

// LOSSES are those that differ most to look at.
const LOSSES = ["gaussian", "gram", "sliced", "histogram", "relaxed", "mmd"];

// VALUES are what to try of settings, in steps that look even.
const VALUES = {
  strength: ["0", "20", "40", "60", "80", "100"],
  "style-scale": ["0.5", "0.7", "1", "1.4", "2", "2.8"],
  "keep-colors": ["0", "0.2", "0.4", "0.6", "0.8", "1"],
};

const SIZES = [128, 192, 256];

// trySix asks what to try, and begins it.
export function trySix() {
  if (!ready() || plan.refused) return;
  const losses = state.losses.map((loss) => loss.name);
  const six = [...LOSSES.filter((name) => losses.includes(name)), ...losses.filter((name) => !LOSSES.includes(name))].slice(0, SIX);
  const kinds = [["loss", six], ...Object.entries(VALUES)];
  const name = id("try");
  let values = six, what = "loss";
  const chosen = h("fieldset", { class: "values" });
  const begin = button(text.trySix, { class: "primary" });
  const drawValues = () => {
    const all = what === "loss" ? losses : values;
    chosen.replaceChildren(h("legend", null, text.whichSix), ...all.map((value) => {
      const loss = what === "loss" && state.losses.find((l) => l.name === value);
      return h("label", { class: "pick" }, h("input", { type: "checkbox", value, checked: values.includes(value), onchange: count }),
        loss && swatch(loss), h("span", null, labelOf(what, value)), loss && h("small", null, loss.help));
    }));
    count();
  };
  const picked = () => [...chosen.querySelectorAll("input:checked")].map((input) => input.value);
  function count() {
    const n = picked().length;
    begin.disabled = n === 0 || n > SIX;
    begin.querySelector("span").textContent = text.tryThem(n);
    for (const input of chosen.querySelectorAll("input")) input.disabled = n >= SIX && !input.checked;
  }
  const size = h("select", { id: id("size") }, SIZES.map((s) => h("option", { value: s, selected: s === 192 }, text.pixels(s))));
  const window_ = dialog(text.trySix, { wide: true },
    h("p", null, text.trySixSays),
    h("div", { class: "segmented", role: "radiogroup", "aria-label": text.whatToTry }, kinds.map(([kind, all]) => h("label", null,
      h("input", { type: "radio", name, value: kind, checked: kind === "loss", onchange: () => { what = kind; values = all; drawValues(); } }),
      h("span", null, kind === "loss" ? text.losses : text.three[kind].title)))),
    chosen,
    h("div", { class: "row end" }, h("label", { class: "inline" }, text.longerSide, " ", size), begin));
  drawValues();
  begin.addEventListener("click", async () => {
    begin.disabled = true;
    const group = `six-${Date.now().toString(36)}`;
    try {
      for (const value of picked()) {
        const settings = withSize(draft.settings, Number(size.value));
        if (what === "strength") delete settings["content-weight"];
        // Losses look equally strong at one strength, not at one weight.
        if (what === "loss" && settings["content-weight"] === undefined) settings.strength = setting("strength");
        settings[what] = value;
        await ask(api.post("runs", { ...body(settings), name: labelOf(what, value), group }));
      }
      window_.close();
      say(text.startedSix);
      show({ kind: "group", id: group });
    } catch (problem) {
      toast(problem.message, { error: true });
      begin.disabled = false;
      if (groupOf(group).length) { window_.close(); show({ kind: "group", id: group }); }
    }
  });
}

const labelOf = (what, value) => (what === "loss" ? value : `${text.three[what].title} ${what === "keep-colors" ? Math.round(100 * value) + " %" : what === "style-scale" ? "× " + value : value}`);

function swatch(loss) {
  const element = h("span", { class: "swatch", "aria-hidden": "true" });
  if (loss?.colour) {
    element.style.setProperty("--light", loss.colour.light);
    element.style.setProperty("--dark", loss.colour.dark);
  }
  return element;
}

// startSheet is the sheet of a group.
export function startSheet() {
  const title = h("h1", { tabindex: -1 }, text.trySix);
  const note = h("p", { class: "status" });
  const grid = h("ul", { class: "sheet" });
  const element = h("div", { class: "of-sheet" }, h("header", { class: "title" }, title), h("p", { class: "lead small" }, text.sheetSays), grid, note);
  const tiles = new Map();
  const draw = () => {
    if (state.shown.kind !== "group") return;
    const all = groupOf(state.shown.id);
    const wanted = new Set(all.map((run) => run.id));
    for (const [key, tile] of tiles) if (!wanted.has(key)) { tile.element.remove(); tiles.delete(key); }
    for (const run of all) {
      if (!tiles.has(run.id)) {
        const made = tile();
        tiles.set(run.id, made);
        grid.append(made.element);
      }
      tiles.get(run.id).draw(run);
    }
    title.textContent = all.length ? text.sixOf(all[0]) : text.gone;
    const busy = all.filter(unfinished).length;
    note.textContent = all.length ? (busy ? text.ofThem(all.length - busy, all.length) : text.allDone) : "";
  };
  on("runs", draw);
  on("progress", (run) => { const one = state.runs.get(run); if (one && !element.hidden) tiles.get(run)?.draw(one); });
  return { element, show: draw };
}

function tile() {
  let run;
  const picture = h("span", { class: "canvas" }), veil = h("span", { class: "veil" });
  picture.append(veil);
  const live = new Live(picture);
  const name = h("b"), note = h("small"), dot = h("span");
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  const large = h("button", { type: "button", class: "tile", onclick: () => paintLarge(run) }, picture, h("span", { class: "over", "aria-hidden": "true" }, text.paintLarge));
  const look = button(text.open, { picture: "photo", bare: true, class: "quiet", onclick: () => show({ kind: "run", id: run.id }) });
  const element = h("li", null, large, bar, h("div", { class: "caption" }, dot, name, note, look));
  return {
    element,
    draw(given) {
      run = given;
      shape(picture, run.size);
      live.show(api.preview(run, 512), run.name);
      veil.textContent = run.progress?.picture ? "" : text.states[run.state];
      name.textContent = run.name;
      note.textContent = run.state === "finished" && run.progress ? format.seconds(run.progress.seconds) : run.state === "failed" ? run.error : "";
      bar.classList.toggle("gone", !unfinished(run));
      bar.firstChild.style.setProperty("transform", `scaleX(${run.progress?.share ?? 0})`);
      const loss = state.losses.find((l) => l.name === run.name);
      if (loss && dot.isConnected) dot.replaceWith(swatch(loss));
      large.setAttribute("aria-label", text.paintThisLarge(run.name, lineOf(run)));
      look.setAttribute("aria-label", text.openRun(run.name));
    },
  };
}

// paintLarge paints what a small picture tried, at the size that is set up.
function paintLarge(run) {
  // Where one of the small ones is looked at, the size that is set up is its own.
  const size = Number(groupOf(run.group).some((other) => other.id === draft.from) ? defaultOf("size") : setting("size"));
  paintAs(run, withSize(run.settings, Math.max(size, run.size.width, run.size.height)));
}
