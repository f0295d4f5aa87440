// Masks painted over a picture: which painting goes where, and what stays.
import * as api from "./api.js";
import { button, dialog, fill, h, id } from "./dom.js";
import { change, draft, uploadMask } from "./draft.js";
import { fitted } from "./format.js";
import { text } from "./strings.js";
import { toast } from "./toast.js";
import { shape } from "./zoom.js";

// SIDE is the longer side of a mask in pixels, at most, and STROKES how many strokes can be
// taken back.
const SIDE = 1024, STROKES = 100;

// editMask opens the window to paint masks in: over the photo, that of a painting or of
// what stays; or over a painting, the part of it that is used.
export async function editMask(index, ofPainting = false) {
  const picture = ofPainting ? draft.styles[index].picture : draft.content;
  const size = fitted(picture, SIDE);
  const layers = ofPainting
    ? [layer(text.usedPart, 1, draft.styles[index].style_mask, size, (d, mask) => { d.styles[index].style_mask = mask; })]
    : [...draft.styles.map((style, i) => layer(text.whereGoes(style.picture.name), i + 1, style.mask, size, (d, mask) => { d.styles[i].mask = mask; })),
      layer(text.protect, 0, draft.protect, size, (d, mask) => { d.protect = mask; })];
  try {
    await Promise.all(layers.map((one) => one.load()));
  } catch {
    return toast(text.maskNotLoaded, { error: true });
  }
  new Editor(picture, size, layers, ofPainting || index === undefined ? layers.at(-1) : layers[index]);
}

// layer is a mask that is painted: opaque in the region.
function layer(name, hue, mask, { width, height }, put) {
  const canvas = h("canvas", { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  return {
    name, hue, canvas, pen, put, changed: false,
    // load draws the mask that there is.
    async load() {
      if (!mask) return;
      const img = new Image();
      img.src = api.thumbnail(mask, SIDE, "png");
      await img.decode();
      pen.drawImage(img, 0, 0, width, height);
      const data = pen.getImageData(0, 0, width, height);
      for (let i = 0; i < data.data.length; i += 4) {
        data.data[i + 3] = data.data[i];
        data.data[i] = data.data[i + 1] = data.data[i + 2] = 255;
      }
      pen.putImageData(data, 0, 0);
    },
    // share is how much of the picture is painted, 0 to 1.
    share() {
      const { data } = pen.getImageData(0, 0, width, height);
      let sum = 0;
      for (let i = 3; i < data.length; i += 4) sum += data[i];
      return sum / 255 / width / height;
    },
    // blob is the mask as a file: white in the region, on black.
    async blob() {
      const whole = new OffscreenCanvas(width, height), draw = whole.getContext("2d");
      draw.fillRect(0, 0, width, height);
      draw.drawImage(canvas, 0, 0);
      return whole.convertToBlob({ type: "image/png" });
    },
  };
}

class Editor {
  constructor(picture, size, layers, active) {
    Object.assign(this, { picture, size, layers, active, erasing: false, radius: Math.round(Math.max(size.width, size.height) / 16), done: [], undone: [] });
    this.at = { x: size.width / 2, y: size.height / 2 };
    this.build();
    this.drawAll();
    this.canvas.focus();
  }

  build() {
    const { width, height } = this.size;
    this.canvas = h("canvas", { width, height, tabindex: 0, role: "application", "aria-label": text.maskCanvas, "aria-describedby": "mask-keys" });
    this.pen = this.canvas.getContext("2d");
    this.ring = h("span", { class: "ring", "aria-hidden": "true" });
    this.told = h("p", { class: "status", role: "status" });
    const board = h("div", { class: "board" }, h("img", { src: api.thumbnail(this.picture, 1536), alt: "", draggable: "false" }), this.canvas, this.ring);
    shape(board, this.picture);
    const name = id("layer");
    this.choices = h("div", { class: "layers", role: "radiogroup", "aria-label": text.whatToPaint }, this.layers.map((one) => h("label", { class: `layer hue-${one.hue % 6}` },
      h("input", { type: "radio", name, checked: one === this.active, onchange: () => { this.active = one; this.drawAll(); } }), h("span", { class: "dot", "aria-hidden": "true" }), h("span", null, one.name))));
    this.brush = h("input", { type: "range", min: 4, max: Math.round(Math.max(width, height) / 4), value: this.radius, id: id("brush"), oninput: () => { this.radius = Number(this.brush.value); fill(this.brush); this.drawRing(); } });
    fill(this.brush);
    this.eraser = button(text.erase, { picture: "erase", "aria-pressed": "false", onclick: () => this.erase(!this.erasing) });
    this.undoButton = button(text.undo, { picture: "undo", bare: true, onclick: () => this.back(this.done, this.undone, "before") });
    this.redoButton = button(text.redo, { picture: "redo", bare: true, onclick: () => this.back(this.undone, this.done, "after") });
    const save = button(text.useMask, { class: "primary", onclick: () => this.save(save) });
    this.window = dialog(text.masksTitle(this.picture.name), { wide: true },
      h("div", { class: "mask" },
        h("div", { class: "tools" },
          this.layers.length > 1 ? this.choices : h("p", { class: "hint" }, text.usedPartSays),
          h("div", { class: "row" }, h("label", { for: this.brush.id }, text.brush), this.brush),
          h("div", { class: "row" }, this.eraser, this.undoButton, this.redoButton),
          h("div", { class: "row" }, button(text.all, { onclick: () => this.fill("all") }), button(text.nothing, { onclick: () => this.fill("nothing") }), button(text.invert, { onclick: () => this.fill("invert") })),
          h("p", { class: "hint keys", id: "mask-keys" }, text.maskKeys)),
        h("div", { class: "board-place" }, board)),
      h("div", { class: "row end" }, this.told, button(text.cancel, { onclick: () => this.window.close() }), save));
    this.window.classList.add("full");
    this.listen();
  }

  listen() {
    const { canvas } = this;
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      return { x: (event.clientX - box.left) / box.width * canvas.width, y: (event.clientY - box.top) / box.height * canvas.height };
    };
    let painting = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      painting = true;
      this.at = point(event);
      this.begin();
      this.stroke(this.at);
    });
    canvas.addEventListener("pointermove", (event) => {
      const all = event.getCoalescedEvents?.() ?? [];
      if (painting) for (const each of all.length ? all : [event]) this.stroke(point(each));
      this.at = point(event);
      this.drawRing();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { if (painting) { painting = false; this.end(); } });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("keyup", (event) => { if (event.key === " " && this.held) { this.held = false; this.end(); } });
    canvas.addEventListener("blur", () => { if (this.held) { this.held = false; this.end(); } this.ring.hidden = true; });
    canvas.addEventListener("focus", () => this.drawRing());
    new ResizeObserver(() => this.drawRing()).observe(canvas);
    // What was painted isn't thrown away by a press of Escape.
    this.window.addEventListener("cancel", (event) => {
      if (!this.layers.some((l) => l.changed)) return;
      event.preventDefault();
      this.told.textContent = text.useOrCancel;
    });
    this.window.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey)) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) this.undoButton.click();
      else if (key === "y" || key === "z") this.redoButton.click();
      else return;
      event.preventDefault();
    });
  }

  // key is the way without a pointer: arrows move the brush, the space bar paints, also
  // while it is held and the brush moves.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = this.radius * (event.shiftKey ? 2 : 0.5);
    const to = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (to) {
      this.at = { x: Math.min(Math.max(this.at.x + to[0], 0), this.size.width), y: Math.min(Math.max(this.at.y + to[1], 0), this.size.height) };
      if (this.held) this.stroke(this.at);
    } else if (event.key === " ") {
      if (!this.held) { this.held = true; this.begin(); this.stroke(this.at); }
    } else if (event.key === "[" || event.key === "]") {
      this.brush.value = this.radius * (event.key === "]" ? 1.25 : 0.8);
      fill(this.brush);
      this.radius = Number(this.brush.value);
    } else if (event.key.toLowerCase() === "e") {
      this.erase(!this.erasing);
    } else {
      return;
    }
    event.preventDefault();
    this.drawRing();
  }

  erase(on) {
    this.erasing = on;
    this.eraser.setAttribute("aria-pressed", String(on));
    this.told.textContent = on ? text.erasing : text.painting;
  }

  begin() {
    const { pen } = this.active;
    this.before = pen.getImageData(0, 0, this.size.width, this.size.height);
    this.last = null;
    this.box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  }

  stroke(to) {
    const { pen } = this.active, from = this.last ?? to, { box, radius } = this;
    pen.globalCompositeOperation = this.erasing ? "destination-out" : "source-over";
    pen.strokeStyle = "#fff";
    pen.lineWidth = 2 * radius;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + (from === to ? 0.01 : 0), to.y);
    pen.stroke();
    this.last = to;
    for (const p of [from, to]) {
      box.left = Math.min(box.left, p.x - radius - 1);
      box.top = Math.min(box.top, p.y - radius - 1);
      box.right = Math.max(box.right, p.x + radius + 1);
      box.bottom = Math.max(box.bottom, p.y + radius + 1);
    }
    this.drawAll();
  }

  // end keeps what the stroke changed, to take it back.
  end() {
    const { width, height } = this.size, { pen } = this.active;
    const left = Math.max(0, Math.floor(this.box.left)), top = Math.max(0, Math.floor(this.box.top));
    const w = Math.min(width, Math.ceil(this.box.right)) - left, hgt = Math.min(height, Math.ceil(this.box.bottom)) - top;
    if (w <= 0 || hgt <= 0) return;
    const cut = new OffscreenCanvas(width, height).getContext("2d");
    cut.putImageData(this.before, 0, 0);
    this.remember(left, top, cut.getImageData(left, top, w, hgt), pen.getImageData(left, top, w, hgt));
  }

  remember(x, y, before, after) {
    this.done.push({ layer: this.active, x, y, before, after });
    if (this.done.length > STROKES) this.done.shift();
    this.undone = [];
    this.active.changed = true;
    this.tellShare();
    this.drawAll();
  }

  back(from, to, which) {
    const step = from.pop();
    if (!step) return;
    to.push(step);
    step.layer.pen.putImageData(step[which], step.x, step.y);
    step.layer.changed = true;
    this.active = step.layer;
    const choice = this.choices.querySelectorAll("input")[this.layers.indexOf(step.layer)];
    choice.checked = true;
    this.tellShare();
    this.drawAll();
  }

  fill(how) {
    const { width, height } = this.size, { pen } = this.active;
    const before = pen.getImageData(0, 0, width, height);
    pen.globalCompositeOperation = { all: "source-over", nothing: "destination-out", invert: "xor" }[how];
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, width, height);
    this.remember(0, 0, before, pen.getImageData(0, 0, width, height));
  }

  tellShare() {
    this.told.textContent = text.maskShare(this.active.name, Math.round(100 * this.active.share()));
  }

  // drawAll shows all masks in their colours, the one that is painted over the others.
  drawAll() {
    const { width, height } = this.size, style = getComputedStyle(this.window);
    this.pen.clearRect(0, 0, width, height);
    for (const one of [...this.layers.filter((l) => l !== this.active), this.active]) {
      const tint = new OffscreenCanvas(width, height).getContext("2d");
      tint.drawImage(one.canvas, 0, 0);
      tint.globalCompositeOperation = "source-in";
      tint.fillStyle = style.getPropertyValue(`--mask-${one.hue % 6}`) || "#d33";
      tint.fillRect(0, 0, width, height);
      this.pen.globalAlpha = one === this.active ? 0.6 : 0.35;
      this.pen.drawImage(tint.canvas, 0, 0);
    }
    this.pen.globalAlpha = 1;
    this.undoButton.disabled = !this.done.length;
    this.redoButton.disabled = !this.undone.length;
    this.drawRing();
  }

  drawRing() {
    const scale = this.canvas.clientWidth / this.size.width;
    this.ring.hidden = false;
    this.ring.style.width = this.ring.style.height = `${2 * this.radius * scale}px`;
    this.ring.style.transform = `translate(${(this.at.x - this.radius) * scale}px, ${(this.at.y - this.radius) * scale}px)`;
  }

  async save(saver) {
    saver.disabled = true;
    try {
      for (const one of this.layers.filter((l) => l.changed)) {
        const mask = one.share() > 0 ? await uploadMask(await one.blob(), this.picture) : null;
        change((d) => one.put(d, mask));
      }
      this.window.close();
    } catch (problem) {
      toast(problem.message, { error: true });
      saver.disabled = false;
    }
  }
}
