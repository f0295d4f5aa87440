// All settings that aren't in the open, by their headings, each with what it does.
import { button, h, id } from "./dom.js";
import { change, defaultOf, draft, set, setting } from "./draft.js";
import { plan } from "./plan.js";
import { on, state } from "./store.js";
import { text } from "./strings.js";

export function startMore(place) {
  let made;
  const build = () => {
    if (!state.settings.length || made === state.settings) return;
    made = state.settings;
    place.replaceChildren(more());
  };
  on("pictures", build);
  build();
}

function more() {
  const groups = Map.groupBy(state.settings.filter((s) => !(s.name in text.three)), (s) => s.heading);
  const rows = [];
  const count = h("small", { class: "count" });
  const search = h("input", { type: "search", placeholder: text.findSetting, "aria-label": text.findSetting, oninput: () => {
    const wanted = search.value.trim().toLowerCase();
    for (const { element, words } of rows) element.hidden = !words.includes(wanted);
    for (const group of body.querySelectorAll(".group")) group.hidden = ![...group.querySelectorAll(".setting")].some((row) => !row.hidden);
  } });
  const reset = button(text.resetAll, { picture: "reset", class: "quiet", onclick: () => change((d) => {
    for (const name of Object.keys(d.settings)) if (!(name in text.three)) delete d.settings[name];
  }) });
  const body = h("div", { class: "more-body" }, h("div", { class: "row" }, search, reset), presets(),
    [...groups].map(([heading, settings]) => h("section", { class: "group", "aria-label": heading }, h("h3", null, heading),
      settings.map((s) => {
        const element = row(s);
        rows.push({ element, words: `${s.name} ${labelOf(s)} ${s.usage}`.toLowerCase() });
        return element;
      }))));
  const element = h("details", { class: "more" }, h("summary", null, h("span", null, text.more), count), body);
  const draw = () => {
    const changed = Object.keys(draft.settings).filter((name) => !(name in text.three)).length;
    count.textContent = changed ? text.changed(changed) : "";
    reset.hidden = !changed;
  };
  on("draft", draw);
  draw();
  return element;
}

// presets fill in the settings of a paper or a program; the size stays.
function presets() {
  if (!state.presets.length) return null;
  const help = h("p", { class: "hint", id: id("hint") }, text.presetsSay);
  const select = h("select", { id: id("preset"), "aria-describedby": help.id, onchange: () => {
    const preset = state.presets.find((p) => p.name === select.value);
    change((d) => {
      const size = d.settings.size;
      d.settings = {};
      for (const [name, value] of Object.entries(preset?.settings ?? {})) if (String(value) !== defaultOf(name)) d.settings[name] = String(value);
      if (size !== undefined) d.settings.size = size;
    });
  } }, h("option", { value: "" }, text.noPreset), state.presets.map((p) => h("option", { value: p.name }, p.name)));
  const draw = () => {
    const { size, ...rest } = draft.settings;
    const like = state.presets.find((p) => {
      const settings = Object.entries(p.settings ?? {}).filter(([name, value]) => String(value) !== defaultOf(name));
      return settings.length > 0 && settings.length === Object.keys(rest).length && settings.every(([name, value]) => rest[name] === String(value));
    });
    select.value = like?.name ?? "";
    help.textContent = like?.help ?? text.presetsSay;
  };
  on("draft", draw);
  draw();
  return h("div", { class: "setting preset" }, h("div", { class: "head" }, h("label", { for: select.id }, text.preset), select), help);
}

const labelOf = ({ name }) => text.settings[name] ?? (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("-", " ");

function row(s) {
  const hint = h("p", { class: "hint", id: id("hint") }, s.usage.charAt(0).toUpperCase() + s.usage.slice(1) + (/[.!?]$/.test(s.usage) ? "" : "."));
  const fault = h("p", { class: "fault", id: id("fault"), hidden: true });
  const reset = button(text.resetOne(labelOf(s)), { picture: "reset", bare: true, class: "quiet reset", onclick: () => { set(s.name, null); input.focus(); } });
  const input = controlOf(s, `${hint.id} ${fault.id}`);
  const element = h("div", { class: `setting ${s.kind}` },
    h("div", { class: "head" }, h("label", { for: input.id }, labelOf(s)), reset, input), hint, fault);
  const draw = () => {
    const value = setting(s.name);
    if (s.kind === "switch") input.checked = value === "true";
    else if (input.value !== value && document.activeElement !== input) input.value = value;
    const changed = draft.settings[s.name] !== undefined;
    element.classList.toggle("changed", changed);
    reset.hidden = !changed;
    const help = s.choices?.find((choice) => choice.name === value)?.help;
    if (help) hint.textContent = `${help.charAt(0).toUpperCase()}${help.slice(1)}.`;
    const wrong = plan.field === s.name;
    fault.hidden = !wrong;
    fault.textContent = wrong ? plan.refused : "";
    input.setAttribute("aria-invalid", String(wrong));
    if (wrong) element.closest("details").open = true;
  };
  on("draft", draw);
  on("plan", draw);
  queueMicrotask(draw);
  return element;
}

function controlOf(s, describedBy) {
  const common = { id: id("setting"), "data-setting": s.name, "aria-describedby": describedBy };
  switch (s.kind) {
  case "switch":
    return h("input", { type: "checkbox", role: "switch", ...common, onchange: (event) => set(s.name, event.target.checked) });
  case "choice":
    return h("select", { ...common, onchange: (event) => set(s.name, event.target.value) }, s.choices.map((choice) => h("option", { value: choice.name }, choice.name)));
  case "integer": case "number": {
    const input = h("input", { type: "number", ...common, min: s.minimum, max: s.maximum, step: s.kind === "integer" ? 1 : "any", inputmode: s.kind === "integer" ? "numeric" : "decimal",
      placeholder: String(s.default ?? "") === "" ? text.automatic : undefined,
      oninput: () => set(s.name, input.value === "" ? null : input.value),
      onblur: () => { if (input.value === "") input.value = setting(s.name); } });
    return input;
  }
  default: {
    const input = h("input", { type: "text", ...common, spellcheck: "false", autocomplete: "off", placeholder: String(s.default ?? "") === "" ? text.none : undefined,
      onchange: () => set(s.name, input.value.trim() === "" ? null : input.value.trim()) });
    return input;
  }
  }
}
