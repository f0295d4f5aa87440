// The history: all runs, newest first, of six that were tried together one entry.
import * as api from "./api.js";
import { button, dialog, h, menu } from "./dom.js";
import { takeNew } from "./draft.js";
import * as format from "./format.js";
import { ask, on, runs, sheetOf, show, state, tell, unfinished } from "./store.js";
import { text } from "./strings.js";
import { toast } from "./toast.js";

export function startRuns(place) {
  const list = h("ul", { class: "runs", "data-list": "" });
  const none = h("p", { class: "hint none" }, text.noRuns);
  const fresh = button(text.newShort, { picture: "add", class: "quiet", id: "new", "aria-label": text.startNew, onclick: () => { takeNew(); show({ kind: "new" }); } });
  place.append(h("header", null, h("h2", { id: "runs-title" }, text.history), fresh), none, list);
  const items = new Map();
  const draw = () => {
    const entries = entriesOf(runs());
    none.hidden = entries.length > 0;
    const wanted = new Set(entries.map((entry) => entry.key));
    for (const [key, item] of items) {
      if (wanted.has(key)) continue;
      const focused = item.element.contains(document.activeElement);
      const next = item.element.nextElementSibling ?? item.element.previousElementSibling;
      item.element.remove();
      items.delete(key);
      if (focused) (next?.querySelector("button") ?? document.getElementById("new")).focus();
    }
    entries.forEach((entry, index) => {
      if (!items.has(entry.key)) items.set(entry.key, makeItem());
      const item = items.get(entry.key);
      item.draw(entry);
      if (list.children[index] !== item.element) list.insertBefore(item.element, list.children[index] ?? null);
    });
  };
  on("runs", draw);
  on("shown", draw);
  on("progress", (id) => {
    const run = state.runs.get(id);
    if (run) items.get(sheetOf(run) ? `group ${run.group}` : run.id)?.progress();
  });
  setInterval(draw, 60000); // how long ago things were
  draw();
}

// entriesOf makes one entry of the runs of a group.
function entriesOf(all) {
  const entries = [], groups = new Map();
  for (const run of all) {
    if (!sheetOf(run)) {
      entries.push({ key: run.id, runs: [run] });
    } else if (groups.has(run.group)) {
      groups.get(run.group).runs.unshift(run);
    } else {
      const entry = { key: `group ${run.group}`, group: run.group, runs: [run] };
      groups.set(run.group, entry);
      entries.push(entry);
    }
  }
  return entries;
}

function makeItem() {
  let entry;
  const thumb = h("span", { class: "thumb" });
  const name = h("span", { class: "name" }), note = h("small");
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("span"));
  const view = () => show(entry.group ? { kind: "group", id: entry.group } : { kind: "run", id: entry.runs[0].id });
  const open = h("button", { type: "button", class: "run", onclick: view }, thumb, h("span", { class: "text" }, name, note, bar));
  const opener = button(text.moreActions, { picture: "more", bare: true, class: "quiet" });
  const element = h("li", null, open, menu(opener, () => entry.group
    ? [button(text.deleteAll(entry.runs.length), { picture: "trash", onclick: () => removeRuns(entry.runs, nameOf(entry)) })]
    : [
      button(text.rename, { picture: "rename", onclick: () => rename(entry.runs[0]) }),
      state.shown.kind === "run" && state.shown.id !== entry.runs[0].id && button(text.compareWithShown, { picture: "compare", onclick: () => show({ kind: "compare", a: state.shown.id, b: entry.runs[0].id }) }),
      button(text.delete, { picture: "trash", onclick: () => removeRun(entry.runs[0]) }),
    ]));
  const progress = () => {
    const busy = entry.runs.filter(unfinished);
    const share = entry.runs.reduce((sum, run) => sum + (unfinished(run) ? run.progress?.share ?? 0 : 1), 0) / entry.runs.length;
    bar.hidden = busy.length === 0;
    bar.firstChild.style.setProperty("transform", `scaleX(${share})`);
    const shown = entry.runs.slice(0, 6);
    thumb.classList.toggle("several", Boolean(entry.group));
    while (thumb.children.length > shown.length) thumb.lastChild.remove();
    shown.forEach((run, i) => {
      const address = api.preview(run, 192) ?? api.thumbnail(run.content, 192);
      const img = thumb.children[i] ?? thumb.appendChild(h("img", { alt: "" }));
      img.classList.toggle("waits", !run.progress?.picture);
      // One at a time; the next progress asks for the next.
      if (img.getAttribute("src") !== address && (img.complete || !img.getAttribute("src"))) img.src = address;
    });
  };
  return {
    element, progress,
    draw(given) {
      entry = given;
      const [run] = entry.runs;
      const title = nameOf(entry);
      name.textContent = title;
      const busy = entry.runs.filter(unfinished).length;
      if (busy && entry.group) note.textContent = text.ofThem(entry.runs.length - busy, entry.runs.length);
      else if (entry.group) note.textContent = format.ago(run.created);
      else if (run.state === "finished") note.textContent = `${text.pixels(Math.max(run.size.width, run.size.height))} · ${format.ago(run.ended ?? run.created)}`;
      else note.textContent = text.states[run.state];
      element.dataset.state = entry.group ? "group" : run.state;
      const { shown } = state;
      const current = entry.group ? shown.kind === "group" && shown.id === entry.group : shown.kind === "run" && shown.id === run.id;
      if (current) open.setAttribute("aria-current", "true");
      else open.removeAttribute("aria-current");
      opener.setAttribute("aria-label", text.moreOf(title));
      progress();
    },
  };
}

const nameOf = (entry) => (entry.group ? text.sixOf(entry.runs[0]) : entry.runs[0].name);

// rename asks for another name.
export function rename(run) {
  const input = h("input", { type: "text", value: run.name, maxlength: 200, "aria-label": text.name });
  const form = h("form", { method: "dialog", onsubmit: async (event) => {
    event.preventDefault();
    const name = input.value.trim();
    window_.close();
    if (!name || name === run.name) return;
    try {
      await ask(api.patch(api.runPath(run.id), { name }), run.id);
    } catch (problem) {
      toast(problem.message, { error: true });
    }
  } }, input, h("div", { class: "row end" }, button(text.cancel, { onclick: () => window_.close() }), h("button", { type: "submit", class: "primary" }, text.rename)));
  const window_ = dialog(text.rename, {}, form);
  input.select();
}

// removeRun deletes a run, unless that is taken back while the message stands.
export const removeRun = (run) => removeRuns([run], run.name);

function removeRuns(all, name) {
  for (const run of all) state.hidden.add(run.id);
  if (all.some((run) => run.id === state.shown.id || sheetOf(run) && run.group === state.shown.id || [state.shown.a, state.shown.b].includes(run.id))) {
    takeNew();
    show({ kind: "new" }, { replace: true });
  }
  tell("runs", null);
  let done = false;
  const really = async (leaving) => {
    if (done) return;
    done = true;
    removeEventListener("pagehide", leave);
    for (const run of all) {
      try {
        await api.remove(api.runPath(run.id), { leaving });
      } catch (problem) {
        if (problem.status !== 404) {
          state.hidden.delete(run.id);
          toast(problem.message, { error: true });
          tell("runs", run.id);
        }
      }
    }
  };
  const leave = () => really(true);
  addEventListener("pagehide", leave);
  toast(text.deleted(name), {
    action: text.undo,
    act() {
      done = true;
      removeEventListener("pagehide", leave);
      for (const run of all) state.hidden.delete(run.id);
      tell("runs", null);
    },
    then: () => really(false),
  });
}
