// The part of the page that shows a picture: the one that is being painted, two compared,
// six tried, or what to do first.
import { Views } from "./web/views.js";
import { paintAs } from "./again.js";
import * as api from "./api.js";
import { Chart } from "./chart.js";
import { startCompare } from "./compare.js";
import { button, dialog, h, menu } from "./dom.js";
import { draft, takeNew, takeRun } from "./draft.js";
import * as format from "./format.js";
import { lineOf } from "./line.js";
import { Live } from "./live.js";
import { choose } from "./pictures.js";
import { rename, removeRun } from "./runs.js";
import { examples } from "./setup.js";
import { startSheet } from "./sheet.js";
import { ask, loadCurve, on, show, state, unfinished, working } from "./store.js";
import { text } from "./strings.js";
import { say, toast } from "./toast.js";
import { shape, zoomBar } from "./zoom.js";

export function startStage(place) {
  const parts = { new: startWelcome(), run: startRun(), compare: startCompare(), group: startSheet() };
  place.append(...Object.values(parts).map((part) => part.element));
  const draw = () => {
    const { shown } = state;
    for (const [kind, part] of Object.entries(parts)) {
      const was = part.element.hidden;
      part.element.hidden = kind !== shown.kind;
      if (kind !== shown.kind && !was) part.leave?.();
    }
    parts[shown.kind].show(shown);
    const address = JSON.stringify(shown);
    if (place.dataset.shown !== address) place.scrollTo(0, 0);
    place.dataset.shown = address;
  };
  on("shown", draw);
  draw();
}

// startWelcome is what stands there before anything is painted.
function startWelcome() {
  const element = h("div", { class: "welcome" });
  let key;
  const draw = () => {
    const now = JSON.stringify([draft.content?.id, draft.styles.map((s) => s.picture.id), state.pictures.size > 0]);
    if (now === key) return;
    key = now;
    if (draft.content) {
      const view = h("div", { class: "canvas" }, h("img", { src: api.thumbnail(draft.content, 1536), alt: text.photoAlt(draft.content.name) }));
      shape(view, draft.content);
      element.replaceChildren(h("div", { class: "viewer" }, view), h("p", { class: "lead small" }, draft.styles.length ? text.readyToPaint : text.needPainting),
        draft.styles.length > 0 && h("div", { class: "narrow-only" }, button(text.paint, { class: "primary wide", onclick: () => document.getElementById("paint").click() })) || "");
      return;
    }
    const step = (role, number) => h("button", { type: "button", class: "step", "data-role": role, onclick: () => choose(role) },
      h("span", { class: "step-number", "aria-hidden": "true" }, number), h("b", null, text.dropHere[role]),
      h("span", null, role === "painting" && draft.styles[0]?.picture.name || text.dropHereHint[role]));
    element.replaceChildren(h("div", { class: "hello" }, h("h1", null, text.welcome), h("p", { class: "lead" }, text.welcomeSays),
      h("div", { class: "steps" }, step("photo", "1"), step("painting", "2")), examples() ?? ""));
  };
  on("draft", draw);
  on("pictures", draw);
  return { element, show: draw };
}

// startRun shows one run.
function startRun() {
  let run, curveAsked;
  const title = h("h1", { tabindex: -1 });
  const badge = h("span", { class: "badge" });
  const view = h("div", { class: "view canvas", tabindex: 0, role: "group" });
  // The photo, faint, is what stands there until there is a picture.
  const ghost = h("img", { class: "ghost", alt: "", draggable: "false" });
  const veil = h("p", { class: "veil" }, h("span"));
  view.append(ghost, veil);
  const live = new Live(view);
  const views = new Views(1, () => { bar.draw(); sharpen(); });
  const bar = zoomBar(views);
  views.add(view);
  const progress = h("div", { class: "progress", role: "progressbar", "aria-label": text.progress, "aria-valuemin": 0, "aria-valuemax": 100 }, h("span"));
  const line = h("p", { class: "status" });
  const actions = h("div", { class: "row actions" });
  const trouble = h("div", { class: "trouble", role: "alert", hidden: true });
  const chart = new Chart();
  const facts = h("div", { class: "facts" });
  const command = commandPart();
  const curves = h("section", { "aria-labelledby": "curves-title" }, h("h2", { id: "curves-title" }, text.curves), chart.element);
  const details = h("div", { class: "details" },
    curves,
    h("section", { "aria-labelledby": "facts-title" }, h("h2", { id: "facts-title" }, text.howMade), facts, command.element));
  const gone = h("div", { class: "hello", hidden: true }, h("h1", null, text.gone), h("p", { class: "lead" }, text.goneSays),
    button(text.startNew, { class: "primary", onclick: () => show({ kind: "new" }) }));
  const frame = h("div", { class: "frame" }, view, bar.element);
  const under = h("div", { class: "under" }, line, actions);
  const viewer = h("div", { class: "viewer" }, frame);
  const hero = h("div", { class: "hero" }, h("header", { class: "title" }, title, badge, titleMenu(() => run)), viewer, progress, under, trouble);
  const element = h("div", { class: "of-run" }, hero, details, gone);

  // sharpen fetches the picture at the size that is seen.
  function sharpen() {
    if (!run) return;
    const wanted = Math.max(view.clientWidth, view.clientHeight) * devicePixelRatio * (views.scale === null ? 1 : views.zoomOf(view));
    live.show(api.preview(run, wanted || 512), text.pictureAlt(run.name));
  }

  const drawProgress = () => {
    if (!run) return;
    const { progress: p } = run;
    const share = run.state === "finished" ? 1 : p?.share ?? 0;
    progress.hidden = !unfinished(run);
    progress.classList.toggle("unknown", working(run) && !p);
    progress.classList.toggle("still", run.state === "paused");
    progress.firstChild.style.setProperty("transform", `scaleX(${share})`);
    if (p || run.state === "queued") progress.setAttribute("aria-valuenow", Math.round(100 * share));
    else progress.removeAttribute("aria-valuenow");
    line.textContent = lineOf(run);
    progress.setAttribute("aria-valuetext", `${Math.round(100 * share)} %. ${line.textContent}`);
    veil.firstChild.textContent = p?.picture ? "" : run.state === "queued" ? text.queuedSays : unfinished(run) ? text.firstPicture : text.noPicture;
    veil.hidden = ghost.hidden = Boolean(p?.picture);
    if (!ghost.hidden) {
      const address = api.thumbnail(run.content, 768);
      if (ghost.getAttribute("src") !== address) ghost.src = address;
    }
    curves.hidden = !p && !working(run);
    sharpen();
    drawCurve();
  };

  let drawnCurve = 0;
  function drawCurve() {
    const points = state.curves.get(run.id);
    // It is asked for once for each connection, while the run goes on, to which events
    // then add, and once more at the end, since events leave iterations out.
    const asked = `${run.id} ${unfinished(run)} ${state.snapshots}`;
    if (run.progress && curveAsked !== asked) {
      curveAsked = asked;
      loadCurve(run.id).catch(() => { curveAsked = undefined; });
    }
    if (!points) {
      if (chart.points?.length !== 0 || chart.run.id !== run.id) chart.show(run, []);
      return;
    }
    // Some times a second is enough.
    const now = performance.now();
    if (chart.points === points && points.length === chart.drawn) return;
    if (chart.points === points && now - drawnCurve < 250 && unfinished(run)) return;
    drawnCurve = now;
    chart.show(run, points);
    chart.drawn = points.length;
  }

  const draw = () => {
    const { shown } = state;
    if (shown.kind !== "run") return;
    run = state.runs.get(shown.id);
    const there = Boolean(run) || !state.known;
    gone.hidden = there;
    hero.hidden = details.hidden = !run;
    if (!run) return;
    title.textContent = run.name;
    badge.textContent = text.states[run.state];
    badge.dataset.state = run.state;
    shape(frame, run.size);
    view.setAttribute("aria-label", text.viewSays(run.name));
    if (views.pixels !== run.size.width) { views.pixels = run.size.width; views.show(); }
    trouble.hidden = !run.error && !(run.remarks ?? []).length;
    trouble.classList.toggle("error", Boolean(run.error));
    under.hidden = run.state === "failed" && !run.progress?.picture;
    drawTrouble(trouble, run);
    drawActions(actions, run);
    drawFacts(facts, run);
    drawProgress();
  };
  on("runs", (id) => { if (!id || id === state.shown.id) draw(); });
  on("progress", (id) => { if (run && id === run.id && !element.hidden) drawProgress(); });
  on("pictures connection", draw);
  return {
    element,
    show() {
      const last = run?.id;
      draw();
      if (!run) return;
      if (last !== run.id) {
        live.show(null);
        views.fit();
        command.clear();
        drawnCurve = 0;
        takeRun(run);
        drawProgress();
      } else {
        takeRun(run);
      }
    },
    leave() { run = undefined; curveAsked = undefined; live.show(null); },
  };
}

// drawTrouble says what is to be known of a run, and why it failed and what to do about it.
function drawTrouble(place, run) {
  const key = JSON.stringify([run.id, run.error, run.remarks]);
  if (place.dataset.key === key) return; // or it would be told again
  place.dataset.key = key;
  if (!run.error) return place.replaceChildren(...(run.remarks ?? []).map((remark) => h("p", null, format.sentence(remark))));
  place.replaceChildren(h("b", null, text.failedTitle), h("p", null, format.sentence(run.error)), h("div", { class: "row" },
    button(text.changeSettings, { onclick: () => {
      const tab = document.querySelector(".tabs [data-part=setup]");
      if (tab.checkVisibility()) tab.click();
      document.querySelector("[data-setting=size-choice]").focus();
    } }),
    button(text.tryAgain, { picture: "reset", onclick: () => paintAs(run, run.settings) })));
}

// act asks something of a run, and says so where it fails.
async function act(run, what, said) {
  try {
    await ask(api.post(api.runPath(run.id, what)), run.id);
    say(said);
  } catch (problem) {
    toast(problem.message, { error: true });
  }
}

// Actions keep their buttons, and so the focus, while they mean the same.
function drawActions(place, run) {
  const key = JSON.stringify([run.id, run.state, Boolean(run.progress?.picture)]);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const focused = place.contains(document.activeElement) && document.activeElement.dataset.does;
  const picture = Boolean(run.progress?.picture);
  const all = [];
  const add = (does, words, picture, onclick, properties = {}) => all.push(button(words, { picture, "data-does": does, onclick, ...properties }));
  if (["running", "starting", "queued"].includes(run.state)) {
    if (run.state !== "queued") add("pause", text.pause, "pause", () => act(run, "pause", text.pausing));
    add("stop", text.stop, "stop", () => act(run, "stop", text.stopping));
  }
  // It keeps the focus that the button had which was pressed.
  if (run.state === "pausing" || run.state === "stopping") add("wait", text.states[run.state], run.state === "pausing" ? "pause" : "stop", undefined, { "aria-disabled": "true" });
  if (run.state === "paused") {
    add("continue", text.continue, "continue", () => act(run, "continue", text.continuing), { class: "primary" });
    add("stop", text.stop, "stop", () => act(run, "stop", text.stopping));
  }
  if (run.state === "stopped") add("continue", text.continue, "continue", () => act(run, "continue", text.continuing));
  if ((run.state === "finished" || run.state === "stopped") && picture) all.push(menu(button(text.enlarge, { picture: "enlarge", "data-does": "enlarge" }), () => enlargements(run)));
  if (picture) {
    add("compare", text.compare, "compare", () => show({ kind: "compare", a: run.id, b: "photo" }));
    all.push(menu(button(text.download, { picture: "download", "data-does": "download", class: run.state === "finished" ? "primary" : undefined }), () => downloads(run)));
  }
  place.replaceChildren(...all);
  if (focused) (place.querySelector(`[data-does="${focused}"]`) ?? place.querySelector("button"))?.focus();
}

// enlargements are the sizes that a picture can go on to.
function enlargements(run) {
  const side = Math.max(run.size.width, run.size.height), most = state.info?.limits?.size || 8192;
  // One that was stopped may not have come to its size.
  const painted = Math.max(run.progress.width, run.progress.height);
  const sizes = [...new Set([side, ...[1.5, 2, 3, 4].map((factor) => Math.round(side * factor / 16) * 16)])].filter((s) => s > painted && s <= most);
  return [h("p", { class: "hint" }, text.enlargeSays), sizes.map((size) => {
    const scale = size / side;
    return button(format.size({ width: Math.round(run.size.width * scale), height: Math.round(run.size.height * scale) }), {
      onclick: async () => {
        try {
          const made = await ask(api.post(api.runPath(run.id, "enlarge"), { size }));
          show({ kind: "run", id: made.id });
        } catch (problem) {
          toast(problem.message, { error: true });
        }
      },
    });
  })];
}

function downloads(run) {
  const link = (words, hint, address) => h("a", { href: address, download: "" }, h("span", null, words), h("small", null, hint));
  return [
    link("PNG", text.formats.png16, api.result(run, "png", 16)),
    link("PNG", text.formats.png8, api.result(run, "png", 8)),
    link("JPEG", text.formats.jpeg, api.result(run, "jpeg")),
    link("WebP", text.formats.webp, api.result(run, "webp")),
    link("TIFF", text.formats.tiff, api.result(run, "tiff", 16)),
    h("hr"),
    link("GIF", text.formats.gif, api.film(run)),
    button(text.settingsFile, { onclick: () => saveSettings(run) }, h("small", null, text.settingsFileSays)),
  ];
}

// saveSettings saves the settings as a file that impasto stylize --config reads.
function saveSettings(run) {
  const lines = state.settings.filter((s) => run.settings[s.name] !== undefined).map((s) => {
    const value = String(run.settings[s.name]);
    const plain = ["number", "integer", "switch"].includes(s.kind) && value !== "";
    return `${s.name} = ${plain ? value : JSON.stringify(value)}\n`;
  });
  const address = URL.createObjectURL(new Blob([`# ${run.name.replace(/[\r\n]+/g, " ")}\n`, ...lines], { type: "application/toml" }));
  h("a", { href: address, download: `${run.name.replace(/[^\p{L}\p{N} ._-]+/gu, "").trim() || "settings"}.toml` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

function titleMenu(current) {
  return menu(button(text.moreActions, { picture: "more", bare: true, class: "quiet" }), () => [
    button(text.rename, { picture: "rename", onclick: () => rename(current()) }),
    button(text.copyCommand, { picture: "copy", onclick: () => copyCommand(current()) }),
    button(text.startNew, { picture: "add", onclick: () => { takeNew(); show({ kind: "new" }); } }),
    button(text.delete, { picture: "trash", onclick: () => removeRun(current()) }),
  ]);
}

// copyCommand puts the command line that makes the same into the clipboard.
async function copyCommand(run) {
  try {
    const { command, remarks } = await api.get(api.runPath(run.id, "command"));
    try {
      await navigator.clipboard.writeText(command);
      toast([text.copied, ...(remarks ?? [])].join(" "));
    } catch {
      // Pages that aren't from this machine or encrypted have no clipboard.
      const field = h("textarea", { readonly: true, rows: 6, "aria-label": text.command }, command);
      dialog(text.copyByHand, { wide: true }, field, (remarks ?? []).map((remark) => h("p", { class: "hint" }, remark)));
      field.select();
    }
  } catch (problem) {
    toast(problem.message, { error: true });
  }
}

function commandPart() {
  const output = h("pre", { tabindex: 0, hidden: true, "aria-label": text.command });
  const look = button(text.showCommand, { class: "quiet", onclick: async () => {
    try {
      const { command, remarks } = await api.get(api.runPath(state.shown.id, "command"));
      output.textContent = [command, ...(remarks ?? []).map((remark) => "# " + remark)].join("\n");
      output.hidden = false;
      look.hidden = true;
      output.focus();
    } catch (problem) {
      toast(problem.message, { error: true });
    }
  } });
  const copy = button(text.copyCommand, { picture: "copy", class: "quiet", onclick: () => copyCommand(state.runs.get(state.shown.id)) });
  return { element: h("div", { class: "command" }, h("div", { class: "row" }, copy, look), output), clear() { output.hidden = true; look.hidden = false; } };
}

// drawFacts lists what a run is made of.
function drawFacts(place, run) {
  const key = JSON.stringify([run.id, run.settings, run.styles, run.changes, run.protect, run.enlarges, run.ended, state.settings.length]);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const fact = (name, ...what) => [h("dt", null, name), h("dd", null, ...what)];
  const label = (name) => text.settings[name] ?? text.three[name]?.title ?? name.replaceAll("-", " ");
  const masks = [run.protect && text.partKept, ...run.styles.map((s) => s.mask && text.regionOf(s.picture.name))].filter(Boolean);
  const parent = run.enlarges && state.runs.get(run.enlarges);
  place.replaceChildren(h("ul", { class: "made-of" }, [run.content, ...run.styles.map((s) => s.picture)].map((picture) => h("li", null,
    h("img", { src: api.thumbnail(picture, 192), alt: "" }), h("span", { class: "name" }, picture.name)))),
  h("dl", null,
    fact(text.size, format.size(run.size)),
    run.styles.length > 1 && fact(text.weights, run.styles.map((s) => `${s.picture.name} ${format.short(s.weight)}`).join(", ")),
    masks.length > 0 && fact(text.masks, masks.join(", ")),
    Object.entries(run.settings).filter(([name]) => name !== "size").map(([name, value]) => fact(label(name), String(value))),
    run.changes?.length > 0 && fact(text.changedAfter, text.iterationsMade(run.changes.map((c) => c.done).join(", "))),
    parent && fact(text.enlarges, h("a", { href: `#run=${encodeURIComponent(parent.id)}` }, parent.name)),
    fact(text.begun, format.ago(run.started ?? run.created))));
}
