// Elements and icons. What is shown always goes in as text, never as markup.
import { text } from "./strings.js";

// h makes an element of properties and children: elements, texts, and lists of them; null
// and false are left out. A property on… listens, others are attributes.
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  let value;
  for (const [name, given] of Object.entries(properties ?? {})) {
    if (given === undefined || given === null || given === false) continue;
    if (name === "value") value = given;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), given);
    else element.setAttribute(name, given === true ? "" : given);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  if (value !== undefined) element.value = value; // of a select, once it has its options
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

// svg makes an element of a drawing.
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Icons are lines on a grid of 20 by 20.
const ICONS = {
  add: "M10 4v12M4 10h12",
  alert: "M10 3.2 2.6 16.2h14.8zM10 8v4M10 14.1v.2",
  blink: "M2.5 10s2.8-5 7.5-5 7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5zM10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  brush: "M16.8 3.2c-2.6 1.2-6 4.6-7.7 7.2l1.6 1.5c2.500-1.700 5.500-5.400 6.100-8.700zM9 10.500c-2.300-.3-3.600 1-3.800 2.600-.1 1.300-.8 2-2 2.400 2.900 1.800 7 .9 7.400-3.500",
  check: "M4 10.500 8.200 14.700 16 5.700",
  close: "M5 5l10 10M15 5 5 15",
  compare: "M3 4.500h14v11H3zM10 2.500v15",
  continue: "M6 4v12l10-6z",
  copy: "M7 7h9v9.500H7zM4 13V3.500h9",
  curve: "M3 3.500v13h14M5.500 6c2 6.500 5 8 11 8.200",
  down: "M5.500 8l4.500 4.500L14.500 8",
  download: "M10 3v9.500M6 9l4 4 4-4M3.500 16.500h13",
  enlarge: "M11.500 3.500h5v5M16.200 3.800 11 9M8.500 16.500h-5v-5M3.800 16.200 9 11",
  erase: "M8 16.500 3.500 12l7.500-7.500 5.500 5.500-6.500 6.500zM7.500 8l5.500 5.500M8 16.500h8.500",
  grid: "M3 4h3.800v5H3zM8.100 4h3.800v5H8.100zM13.200 4H17v5h-3.800zM3 11h3.800v5H3zM8.100 11h3.800v5H8.100zM13.200 11H17v5h-3.800z",
  minus: "M4 10h12",
  more: "M4.800 10h.1M10 10h.1M15.200 10h.1",
  pause: "M7 4.500v11M13 4.500v11",
  photo: "M3 4h14v12H3zM3.200 14l4-4.200 3.300 3.200 2.300-2.200 4 3.700M13 7.500h.1",
  redo: "M13 3.500 16.500 7 13 10.500M16 7H8a4.500 4.500 0 0 0 0 9h3",
  rename: "M4 16l.8-3.500L13.500 3.800l2.700 2.700-8.700 8.700zM12 5.500 14.600 8",
  reset: "M4 6v4h4M4.500 9.500a6 6 0 1 1-.2 3",
  stop: "M5 5h10v10H5z",
  swap: "M4 7h12l-3-3M16 13H4l3 3",
  trash: "M4 5.500h12M8 5.500v-2h4v2M5.500 5.500 6.300 16.500h7.400l.8-11M8.500 8.500v5M11.500 8.500v5",
  undo: "M7 3.500 3.500 7 7 10.500M4 7h8a4.500 4.500 0 0 1 0 9H9",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

// button is a button of an icon and words; of an icon alone, the words are its name.
export function button(words, { picture, bare, ...properties } = {}, ...children) {
  return h("button", { type: "button", ...(bare ? { "aria-label": words, title: words } : {}), ...properties, class: `${bare ? "bare " : ""}${properties.class ?? ""}`.trim() || undefined },
    picture && icon(picture), !bare && h("span", null, words), ...children);
}

// fill shows how far a slider is by the colour of its track.
export function fill(slider) {
  slider.style.setProperty("--at", `${100 * (slider.value - slider.min) / (slider.max - slider.min)}%`);
}

let ids = 0;

// id is a name for an element that no other has.
export const id = (prefix) => `${prefix}-${++ids}`;

// menu is a button that opens a list of choices below it. Items are made when it opens:
// elements, usually buttons and links; choosing one closes it.
export function menu(opener, items) {
  const list = h("div", { popover: "auto", class: "menu", id: id("menu") });
  opener.setAttribute("aria-controls", list.id);
  opener.setAttribute("aria-expanded", "false");
  // The press that closes it, as any beside it does, mustn't open it again.
  let pressed = false;
  opener.addEventListener("pointerdown", () => { pressed = list.matches(":popover-open"); });
  opener.addEventListener("click", () => {
    const closes = pressed || list.matches(":popover-open");
    pressed = false;
    if (closes) return list.hidePopover();
    list.replaceChildren(...items().flat().filter(Boolean));
    list.showPopover({ source: opener });
    place(list, opener);
    list.querySelector("button:not(:disabled), a, input")?.focus({ preventScroll: true });
  });
  list.addEventListener("toggle", (event) => {
    opener.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open" && list.contains(document.activeElement)) opener.focus();
  });
  list.addEventListener("click", (event) => { if (event.target.closest("button, a")) list.hidePopover(); });
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button:not(:disabled), a")];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    all[(to + all.length) % all.length].focus();
  });
  return h("span", { class: "opens" }, opener, list);
}

// place puts a list below what opened it, or above where there is more room.
function place(list, opener) {
  const at = opener.getBoundingClientRect(), size = list.getBoundingClientRect(), edge = 8;
  const below = innerHeight - at.bottom - edge, up = below < size.height && at.top > below;
  list.style.left = Math.max(edge, Math.min(at.left, innerWidth - size.width - edge)) + "px";
  list.style.top = Math.max(edge, up ? at.top - size.height - 4 : at.bottom + 4) + "px";
  list.style.maxHeight = Math.max(120, up ? at.top - 2 * edge : below) + "px";
}

// dialog is a modal window with a title, which leaves the page when it is closed.
export function dialog(title, { wide, onclose } = {}, ...children) {
  const name = id("dialog"), opener = document.activeElement;
  const element = h("dialog", { class: wide ? "wide" : undefined, "aria-labelledby": name },
    h("header", null, h("h2", { id: name }, title), button(text.close, { picture: "close", bare: true, class: "quiet", onclick: () => element.close() })),
    ...children);
  element.addEventListener("close", () => {
    element.remove();
    onclose?.();
    // What opened it may have been made anew meanwhile, or have made way for another.
    const { focus, role } = opener?.dataset ?? {};
    if (document.activeElement === document.body) (document.querySelector(`[data-focus="${CSS.escape(focus ?? role ?? "")}"]`) ?? document.getElementById("stage"))?.focus();
  });
  // A press beside it closes it.
  element.addEventListener("pointerdown", (event) => {
    const box = element.getBoundingClientRect();
    const beside = event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
    if (event.target === element && beside && element.dispatchEvent(new Event("cancel", { cancelable: true }))) element.close();
  });
  document.body.append(element);
  element.showModal();
  return element;
}
