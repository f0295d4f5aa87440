// Two pictures at once: one over the other with a slider between, blinking, or side by
// side, with one zoom.
import { Blinker, Slider, Views } from "./web/views.js";
import * as api from "./api.js";
import { button, h } from "./dom.js";
import { Live } from "./live.js";
import { on, runs, show, state } from "./store.js";
import { text } from "./strings.js";
import { shape, zoomBar } from "./zoom.js";

// PHOTO stands for the photo that the other picture was made of, in the address too.
const PHOTO = "photo";

export function startCompare() {
  const sides = { a: side(text.leftPicture), b: side(text.rightPicture) };
  const stage = h("div", { class: "view stage canvas", tabindex: 0, role: "group", "aria-label": text.stageSays },
    h("div", { class: "under-b" }), h("div", { class: "cut" }), h("div", { class: "handle", "aria-hidden": "true" }), sides.a.tag, sides.b.tag);
  const [under, upper] = stage.children;
  const pair = { a: h("div", { class: "view canvas", tabindex: 0, role: "group" }), b: h("div", { class: "view canvas", tabindex: 0, role: "group" }) };
  const lives = { a: [new Live(upper), new Live(pair.a)], b: [new Live(under), new Live(pair.b)] };
  const control = h("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50, class: "cut-control", "aria-label": text.cut });
  const views = new Views(1, () => {
    bar.draw();
    sharpen();
    control.style.width = `${stage.clientWidth}px`; // as wide as what it cuts
  });
  const bar = zoomBar(views);
  const slider = new Slider(stage, control);
  views.add(stage, slider);
  for (const view of Object.values(pair)) views.add(view);
  const both = h("div", { class: "viewer both", hidden: true }, pair.a, pair.b);
  const one = h("div", { class: "viewer" }, stage);

  const blink = button(text.blink, { picture: "blink", "aria-pressed": "false" });
  const blinker = new Blinker(stage, blink);
  const beside = button(text.sideBySide, { picture: "compare", "aria-pressed": "false", onclick: () => {
    const now = beside.getAttribute("aria-pressed") !== "true";
    beside.setAttribute("aria-pressed", String(now));
    both.hidden = !now;
    one.hidden = control.hidden = now;
    blinker.stop();
    blink.disabled = now;
    views.show();
  } });
  const swap = button(text.swap, { picture: "swap", bare: true, onclick: () => show({ kind: "compare", a: state.shown.b, b: state.shown.a }, { replace: true }) });
  const back = button(text.done, { class: "primary", onclick: () => {
    const run = [state.shown.a, state.shown.b].find((id) => state.runs.has(id));
    show(run ? { kind: "run", id: run } : { kind: "new" });
  } });
  const element = h("div", { class: "hero compare" },
    h("header", { class: "title" }, h("h1", { tabindex: -1 }, text.compare), h("div", { class: "choose" }, sides.a.element, swap, sides.b.element)),
    one, both, control, h("div", { class: "under" }, bar.element, h("div", { class: "row" }, blink, beside, back)));

  for (const [name, { select }] of Object.entries(sides)) {
    select.addEventListener("change", () => show({ ...state.shown, kind: "compare", [name]: select.value }, { replace: true }));
  }

  // what is the picture that stands for an id: its name and address.
  function what(id, other) {
    const run = state.runs.get(id === PHOTO ? other : id);
    if (!run) return null;
    if (id !== PHOTO) return { name: run.name, address: (wanted) => api.preview(run, wanted) };
    const most = Math.max(run.size.width, run.size.height);
    return { name: text.photoAlt(run.content.name), address: (wanted) => api.thumbnail(run.content, api.pixelsFor(Math.min(wanted, most))) };
  }

  function shown() {
    const { a, b } = state.shown;
    return { a: what(a, b), b: what(b, a) };
  }

  function sharpen() {
    if (element.hidden || state.shown.kind !== "compare") return;
    const pictures = shown();
    const view = views.shown()[0];
    const wanted = view ? Math.max(view.clientWidth, view.clientHeight) * devicePixelRatio * (views.scale === null ? 1 : views.zoomOf(view)) : 512;
    for (const name of ["a", "b"]) for (const live of lives[name]) live.show(pictures[name]?.address(wanted) ?? null, pictures[name]?.name ?? "");
  }

  const draw = () => {
    if (state.shown.kind !== "compare") return;
    const pictures = shown();
    for (const [name, { select, tag }] of Object.entries(sides)) {
      const options = [[PHOTO, text.thePhoto], ...runs().filter((run) => run.progress?.picture).map((run) => [run.id, run.name])];
      const key = JSON.stringify(options);
      if (select.dataset.key !== key) {
        select.dataset.key = key;
        select.replaceChildren(...options.map(([value, words]) => h("option", { value }, words)));
      }
      select.value = state.shown[name];
      tag.textContent = pictures[name]?.name ?? "";
      pair[name].setAttribute("aria-label", text.viewSays(pictures[name]?.name ?? ""));
    }
    const first = [state.shown.a, state.shown.b].map((id) => state.runs.get(id)).find(Boolean);
    if (first) {
      for (const view of [stage, ...Object.values(pair)]) shape(view, first.size);
      views.pixels = first.size.width;
    }
    views.show();
  };
  on("runs", draw);
  on("progress", (id) => { if ([state.shown.a, state.shown.b].includes(id)) sharpen(); });
  slider.cut(50);
  return { element, show: draw, leave() { blinker.stop(); views.fit(); } };
}

function side(words) {
  const select = h("select", { "aria-label": words });
  const tag = h("span", { class: `tag tag-${words === text.leftPicture ? "a" : "b"}`, "aria-hidden": "true" });
  return { select, tag, element: select };
}
