// Views of pictures that have one zoom and one place, a slider between two pictures, and
// their blinking. Looks are those of views.css.

export const percent = (value) => Math.round(100 * value) + " %";

// How many pixels of the page one of a picture takes at most.
const MOST = 32;

// within is the point of a view, 0 to 1, that a pointer is at.
function within(view, event) {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// Views have one scale and place: how many pixels of the page a pixel of the pictures
// takes, or null where each view fits the whole picture; and the point of the picture, 0
// to 1, that stands in the middle.
export class Views {
  // pixels is the width of the pictures in their own pixels, changed what is called
  // whenever the scale is another one, or may be.
  constructor(pixels, changed = () => {}) {
    this.pixels = pixels;
    this.changed = changed;
    this.scale = null;
    this.middle = { x: 0.5, y: 0.5 };
    this.views = new Set();
    this.resized = new ResizeObserver(() => this.show());
  }

  // add makes an element a view. With a slider it is the one that the slider is in.
  add(view, slider) {
    this.views.add(view);
    this.resized.observe(view);
    this.#listen(view, slider);
  }

  fitOf(view) { return view.clientWidth / this.pixels; }
  zoomOf(view) { return this.scale === null ? 1 : this.scale / this.fitOf(view); }

  // text is the scale in words, such as "fit, 43 %".
  text() {
    if (this.scale !== null) return percent(this.scale);
    const [first] = this.shown();
    return first ? "fit, " + percent(this.fitOf(first)) : "fit";
  }

  // shown are the views that take room on the page.
  shown() { return [...this.views].filter((view) => view.clientWidth > 0); }

  show() {
    for (const view of this.shown()) {
      const zoom = this.zoomOf(view);
      view.style.setProperty("--zoom", zoom);
      view.style.setProperty("--x", Math.round(-edge(zoom, this.middle.x) * zoom * view.clientWidth) + "px");
      view.style.setProperty("--y", Math.round(-edge(zoom, this.middle.y) * zoom * view.clientHeight) + "px");
      view.classList.toggle("movable", zoom > 1);
      view.classList.toggle("large", zoom * this.fitOf(view) >= 3);
    }
    this.changed();
  }

  // settle keeps the middle where the view can have it.
  settle(view) {
    const zoom = this.zoomOf(view);
    for (const axis of ["x", "y"]) this.middle[axis] = edge(zoom, this.middle[axis]) + 0.5 / zoom;
    this.show();
  }

  // scaleTo changes the scale; x and y are the point of the view, 0 to 1, that stays
  // where it is.
  scaleTo(wanted, view = this.shown()[0], x = 0.5, y = 0.5) {
    if (!view) return;
    const before = this.zoomOf(view);
    const fits = this.shown().map((other) => this.fitOf(other));
    this.scale = Math.min(Math.max(wanted, Math.min(1, ...fits)), Math.max(MOST, ...fits));
    const after = this.zoomOf(view);
    this.middle.x = edge(before, this.middle.x) + x / before - x / after + 0.5 / after;
    this.middle.y = edge(before, this.middle.y) + y / before - y / after + 0.5 / after;
    this.settle(view);
  }

  zoomBy(factor, view = this.shown()[0], x = 0.5, y = 0.5) {
    if (view) this.scaleTo(factor * this.zoomOf(view) * this.fitOf(view), view, x, y);
  }

  moveBy(view, x, y) {
    this.middle.x += x / this.zoomOf(view);
    this.middle.y += y / this.zoomOf(view);
    this.settle(view);
  }

  fit() {
    this.scale = null;
    this.middle = { x: 0.5, y: 0.5 };
    this.show();
  }

  // button makes a button do one of in, out, fit and actual.
  button(button, does) {
    const act = { in: () => this.zoomBy(1.5), out: () => this.zoomBy(1 / 1.5), fit: () => this.fit(), actual: () => this.scaleTo(1) }[does];
    button.addEventListener("click", act);
  }

  #listen(view, slider) {
    const pointers = new Map();
    let cutting = false;

    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 300), view, ...within(view, event));
    }, { passive: false });

    view.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".handle")) this.zoomBy(event.shiftKey ? 0.5 : 2, view, ...within(view, event));
    });

    view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, within(view, event));
      cutting = slider !== undefined && (this.zoomOf(view) <= 1 || event.target.closest(".handle") !== null);
      view.setPointerCapture(event.pointerId);
      if (cutting) slider.cut(100 * within(view, event)[0]);
    });

    view.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const now = within(view, event);
      if (pointers.size === 2) { // a pinch
        const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
        const spread = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
        if (spread(last) > 0) this.zoomBy(spread(now) / spread(last), view, other[0], other[1]);
      } else if (cutting) {
        slider.cut(100 * now[0]);
      } else {
        this.moveBy(view, last[0] - now[0], last[1] - now[1]);
      }
      pointers.set(event.pointerId, now);
    });

    for (const end of ["pointerup", "pointercancel"]) {
      view.addEventListener(end, (event) => pointers.delete(event.pointerId));
    }

    // Two fingers zoom: the browser mustn't scroll by them.
    for (const touch of ["touchstart", "touchmove"]) {
      view.addEventListener(touch, (event) => { if (event.touches.length > 1 && event.cancelable) event.preventDefault(); }, { passive: false });
    }

    view.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = 0.1;
      const act = {
        "+": () => this.zoomBy(1.5, view), "=": () => this.zoomBy(1.5, view), "-": () => this.zoomBy(1 / 1.5, view),
        "0": () => this.fit(), "1": () => this.scaleTo(1, view),
        ArrowLeft: () => this.moveBy(view, -step, 0), ArrowRight: () => this.moveBy(view, step, 0),
        ArrowUp: () => this.moveBy(view, 0, -step), ArrowDown: () => this.moveBy(view, 0, step),
      }[event.key];
      // Arrows scroll the page where there is nothing to move.
      if (!act || (this.zoomOf(view) <= 1 && event.key.startsWith("Arrow"))) return;
      event.preventDefault();
      act();
    });
  }
}

// edge is the part of the picture, 0 to 1, left of the view or above it.
function edge(zoom, at) {
  const room = 1 - 1 / zoom;
  return room > 0 ? Math.min(Math.max(at - 0.5 / zoom, 0), room) : room / 2;
}

// Slider is between two pictures of which one lies over the other: the stage that both
// are in, and the control that says how much is seen of the upper one.
export class Slider {
  constructor(stage, control) {
    this.stage = stage;
    this.control = control;
    control.addEventListener("input", () => this.cut(control.value));
  }

  // cut shows the upper picture up to a share of the width, in percent.
  cut(share) {
    this.control.value = Math.min(Math.max(share, 0), 100);
    this.stage.style.setProperty("--cut", this.control.value + "%");
  }
}

// BLINK is how long each of two pictures is seen while they blink, in milliseconds: long
// enough to look, and far from what can cause seizures, 3 flashes a second.
const BLINK = 700;

// Blinker shows two pictures of a stage in turn, in one place, so that what differs
// moves. Where people want no motion it does so by hand: with each press.
export class Blinker {
  constructor(stage, button) {
    this.stage = stage;
    this.button = button;
    this.timer = null;
    button.addEventListener("click", () => this.press());
  }

  get on() { return this.stage.classList.contains("blinking"); }

  press() {
    const byHand = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!this.on) {
      this.stage.classList.add("blinking");
      if (!byHand) this.timer = setInterval(() => this.flip(), BLINK);
    } else if (byHand && !this.stage.classList.contains("second")) {
      this.flip();
    } else {
      this.stop();
    }
    this.button.setAttribute("aria-pressed", String(this.on));
  }

  flip() { this.stage.classList.toggle("second"); }

  stop() {
    clearInterval(this.timer);
    this.stage.classList.remove("blinking", "second");
    this.button.setAttribute("aria-pressed", "false");
  }
}
