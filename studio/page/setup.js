// The part of the page where a picture is set up.
import * as api from "./api.js";
import { button, fill, h, icon, id, menu } from "./dom.js";
import { body, change, changes, clear, draft, follow, ready, retake, set, setting, takeNew } from "./draft.js";
import * as format from "./format.js";
import { editMask } from "./mask.js";
import { bundled, choose, uploading, use } from "./pictures.js";
import { plan, startPlanning } from "./plan.js";
import { startMore } from "./settings.js";
import { trySix } from "./sheet.js";
import { ask, on, show, state, unfinished } from "./store.js";
import { text } from "./strings.js";
import { say, toast } from "./toast.js";

export function startSetup(place) {
  const photo = h("div", { class: "photo-slot" });
  const paintings = h("ul", { class: "paintings" });
  const source = h("div", { class: "source" });
  const more = h("div");
  const tries = h("div", { class: "narrow-only" });
  place.append(
    h("div", { class: "panel" },
      source, tries,
      h("section", { "aria-labelledby": "photo-title" }, h("h2", { id: "photo-title" }, text.photo), photo),
      h("section", { "aria-labelledby": "paintings-title" }, h("h2", { id: "paintings-title" }, text.paintings), paintings,
        button(text.addPainting, { picture: "add", class: "wide add-painting", "data-focus": "painting", onclick: () => choose("painting") })),
      h("section", { class: "controls", "aria-label": text.controls }, ...threeControls()),
      more),
    footer());
  startMore(more);
  startPlanning();
  const draw = () => {
    drawSource(source);
    drawPhoto(photo);
    drawPaintings(paintings);
    tries.hidden = Boolean(draft.content || draft.styles.length || uploading.size);
    redraw(tries, String(state.pictures.size), () => [examples()].filter(Boolean));
  };
  on("draft", draw);
  on("runs", (run) => { follow(run); drawSource(source); });
  on("pictures", draw);
  draw();
}

function drawSource(place) {
  const run = state.runs.get(draft.from);
  const key = run ? `${run.id} ${run.name} ${unfinished(run)}` : "";
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.hidden = !run;
  if (!run) return place.replaceChildren();
  place.replaceChildren(h("span", null, unfinished(run) ? text.settingsOfRunning : text.settingsOf, " ", h("b", null, run.name)),
    button(text.newShort, { picture: "add", class: "quiet", "aria-label": text.startNew, onclick: () => { takeNew(); show({ kind: "new" }); } }));
}

// A slot isn't made anew unless what it shows is another thing, so that focus stays.
function redraw(place, key, make) {
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.focus ?? "" : undefined;
  place.replaceChildren(...make());
  if (focused !== undefined) (place.querySelector(`[data-focus="${CSS.escape(focused)}"]`) ?? place.querySelector("button") ?? place.parentElement.querySelector("button"))?.focus();
}

function drawPhoto(place) {
  const coming = [...uploading].find((entry) => entry.role === "photo");
  const masks = [draft.protect, ...draft.styles.map((style) => style.mask)].join();
  redraw(place, JSON.stringify([coming?.address, draft.content?.id, masks, state.pictures.size > 0]), () => {
    if (coming) return [arriving(coming, "photo-card")];
    if (!draft.content) {
      return [h("button", { type: "button", class: "slot", "data-focus": "photo", "data-role": "photo", onclick: () => choose("photo") }, icon("photo"),
        h("b", null, text.choosePhoto), h("span", null, text.orDrop))];
    }
    const masked = draft.protect || draft.styles.some((style) => style.mask);
    return [h("div", { class: "photo-card", "data-role": "photo" },
      h("img", { src: api.thumbnail(draft.content, 384), alt: text.photoAlt(draft.content.name) }),
      h("div", { class: "body" },
        h("span", { class: "name" }, draft.content.name), h("small", null, format.size(draft.content)),
        h("div", { class: "row" },
          button(text.replace, { "data-focus": "photo", onclick: () => choose("photo") }),
          button(masked ? text.editMasks : text.paintMasks, { picture: "brush", "data-focus": "masks", class: masked ? "on" : undefined, onclick: () => editMask() }))))];
  });
  if (coming) place.querySelector("progress").value = coming.share;
}

function arriving(entry, kind) {
  return h("div", { class: `${kind} arriving` }, h("img", { src: entry.address, alt: "" }),
    h("div", { class: "body" }, h("span", { class: "name" }, entry.name), h("progress", { max: 1, value: 0, "aria-label": text.uploading(entry.name) })));
}

function drawPaintings(place) {
  const coming = [...uploading].filter((entry) => entry.role === "painting");
  const several = draft.styles.length > 1;
  const key = JSON.stringify([coming.map((entry) => entry.address), draft.styles.map((style) => [style.picture.id, style.mask, style.style_mask]), several, draft.content?.id]);
  redraw(place, key, () => [
    ...draft.styles.map((style, index) => paintingCard(style, index, several)),
    ...coming.map((entry) => h("li", null, arriving(entry, "painting-card"))),
  ]);
  draft.styles.forEach((style, index) => {
    const slider = place.querySelector(`[data-weight="${index}"]`);
    if (!slider) return;
    if (Number(slider.value) !== style.weight) slider.value = style.weight;
    fill(slider);
    slider.closest("label").querySelector("output").value = share(style);
  });
  coming.forEach((entry, index) => { place.querySelectorAll("progress")[index].value = entry.share; });
}

// share is what a painting counts beside the others, in words.
function share(style) {
  const sum = draft.styles.reduce((total, other) => total + other.weight, 0);
  return sum ? Math.round(100 * style.weight / sum) + " %" : "–";
}

function paintingCard(style, index, several) {
  const { picture } = style;
  const weight = several && h("label", { class: "weight" },
    h("span", { class: "unseen" }, text.weightOf(picture.name)),
    h("input", { type: "range", min: 0.05, max: 2, step: 0.05, value: style.weight, "data-weight": index, "data-focus": `weight-${index}`,
      oninput: (event) => change((d) => { d.styles[index].weight = Number(event.target.value); }) }),
    h("output", null, share(style)));
  const opener = button(text.moreOf(picture.name), { picture: "more", bare: true, class: "quiet", "data-focus": `more-${index}` });
  return h("li", { class: "painting-card" },
    h("img", { src: api.thumbnail(picture, 192), alt: "" }),
    h("div", { class: "body" },
      h("div", { class: "head" }, h("span", { class: "name" }, picture.name), menu(opener, () => [
        button(style.mask ? text.editRegion : text.paintRegion, { picture: "brush", disabled: !draft.content, onclick: () => editMask(index) }),
        style.mask && button(text.everywhere, { picture: "reset", onclick: () => change((d) => { d.styles[index].mask = null; }) }),
        style.mask && button(style.style_mask ? text.editPart : text.usePart, { picture: "brush", onclick: () => editMask(index, true) }),
        style.style_mask && button(text.wholePainting, { picture: "reset", onclick: () => change((d) => { d.styles[index].style_mask = null; }) }),
        button(text.removePainting, { picture: "trash", onclick: () => change((d) => { d.styles.splice(index, 1); }) }),
      ])),
      weight,
      (style.mask || style.style_mask) && h("small", { class: "badge" }, [style.mask && text.inRegion, style.style_mask && text.ofPart].filter(Boolean).join(" · "))));
}

// threeControls are those in the open. A slider counts in steps that look equal; to and
// from are between its position and the setting.
function threeControls() {
  return [
    control("strength", { min: 0, max: 100, step: 1, middle: 50, to: (at) => at, from: (value) => value, words: (value) => String(Math.round(value)) }),
    control("style-scale", {
      min: -2, max: 2, step: 0.1, middle: 0,
      to: (at) => Number((2 ** at).toPrecision(3)), from: (value) => Math.log2(value), words: (value) => `× ${Number(value.toPrecision(2))}`,
    }),
    control("keep-colors", { min: 0, max: 1, step: 0.05, middle: 0, to: (at) => at, from: (value) => value, words: (value) => Math.round(100 * value) + " %" }),
  ];
}

function control(name, { min, max, step, middle, to, from, words }) {
  const { title, says } = text.three[name];
  const hint = id("hint");
  const output = h("output");
  const slider = h("input", { type: "range", min, max, step, value: middle, id: id(name), "data-setting": name, "aria-describedby": hint,
    oninput: () => set(name, to(Number(slider.value))) });
  const element = h("div", { class: "control" },
    h("div", { class: "head" }, h("label", { for: slider.id }, title), output),
    slider,
    h("p", { class: "hint", id: hint }, says));
  const draw = () => {
    const value = setting(name) === "" ? to(middle) : Number(setting(name));
    const at = from(value);
    if (Math.abs(Number(slider.value) - at) > step / 2) slider.value = at;
    const otherwise = name === "strength" && draft.settings["content-weight"] !== undefined;
    output.value = otherwise ? text.byWeight : words(value);
    slider.setAttribute("aria-valuetext", output.value);
    fill(slider);
  };
  on("draft", draw);
  on("pictures", draw);
  draw();
  return element;
}

// footer has what it will take, and the buttons that begin.
function footer() {
  const estimate = h("div", { class: "estimate", id: "estimate" });
  plan.attach(estimate);
  const why = id("why");
  const reason = h("p", { class: "hint", id: why });
  const go = button(text.paint, { class: "primary big", id: "paint", "aria-describedby": why, onclick: start });
  const apply = button(text.apply, { class: "primary big", id: "apply", onclick: applyChanges });
  const six = button(text.trySix, { picture: "grid", id: "try-six", onclick: () => trySix() });
  const size = sizeChoice();
  const element = h("div", { class: "begin" }, reason, h("div", { class: "row take" }, size, estimate), h("div", { class: "row go" }, apply, go, six));
  const draw = () => {
    const can = ready() && !plan.refused && uploading.size === 0;
    const changed = changes();
    apply.hidden = !changed;
    go.classList.toggle("primary", !changed);
    go.classList.toggle("big", !changed);
    go.querySelector("span").textContent = changed ? text.paintNew : text.paint;
    // They stay focusable, and say why they do nothing.
    for (const one of [go, six]) one.setAttribute("aria-disabled", String(!can));
    apply.setAttribute("aria-disabled", String(Boolean(plan.refused)));
    reason.textContent = uploading.size ? text.waitForUpload : !draft.content && !draft.styles.length ? text.needBoth : !draft.content ? text.needPhoto : !draft.styles.length ? text.needPainting : "";
    reason.hidden = !reason.textContent;
    estimate.hidden = !ready();
  };
  on("draft", draw);
  on("runs", draw);
  on("plan", draw);
  draw();
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) (apply.hidden ? go : apply).click();
  });
  return element;
}

// SIZES are the longer sides that are offered; others can be set among all settings.
const SIZES = [256, 384, 512, 768, 1024, 1536, 2048];

// sizeChoice is the size of the picture, beside what it takes.
function sizeChoice() {
  const select = h("select", { "aria-label": text.settings.size, "data-setting": "size-choice", onchange: () => set("size", select.value) });
  const draw = () => {
    const value = Number(setting("size")) || 512;
    const all = [...new Set([...SIZES, value])].sort((a, b) => a - b);
    const key = `${all} ${draft.content?.id}`;
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      select.replaceChildren(...all.map((side) => h("option", { value: side }, draft.content ? format.size(format.scaled(draft.content, side)) : text.pixels(side))));
    }
    select.value = value;
  };
  on("draft", draw);
  on("pictures", draw);
  draw();
  return select;
}

async function start() {
  if (document.getElementById("paint").getAttribute("aria-disabled") === "true") return;
  plan.putOff();
  try {
    const run = await ask(api.post("runs", body()));
    say(text.started(run.name));
    show({ kind: "run", id: run.id });
  } catch (problem) {
    failed(problem);
  }
}

async function applyChanges() {
  const changed = changes();
  if (!changed || document.getElementById("apply").getAttribute("aria-disabled") === "true") return;
  try {
    const run = await ask(api.patch(api.runPath(draft.from), changed), draft.from);
    retake(run);
    say(text.applied);
    show({ kind: "run", id: run.id });
  } catch (problem) {
    failed(problem);
  }
}

function failed(problem) {
  if (problem.field) plan.fault(problem);
  toast(problem.message, { error: true });
}

// examples are the tiles of the bundled pictures, for those who come with none.
export function examples() {
  const { photo, paintings } = bundled();
  if (!photo || !paintings.length) return null;
  return h("div", { class: "examples" }, h("p", null, text.noPictures),
    h("ul", { class: "tiles small" }, paintings.map((painting) => h("li", null,
      h("button", { type: "button", class: "tile pair", "data-name": painting.name, "aria-label": text.tryPair(photo.name, painting.name),
        onclick: () => { clear(); use(photo, "photo"); use(painting, "painting"); document.getElementById("paint").focus({ preventScroll: true }); } },
        h("img", { src: api.thumbnail(photo, 192), alt: "" }), h("img", { src: api.thumbnail(painting, 192), alt: "" }))))));
}

