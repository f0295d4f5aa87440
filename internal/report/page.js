"use strict";
(() => {
  const root = document.documentElement;
  const images = [...document.querySelectorAll("#pictures img")];
  const stage = document.querySelector(".stage");
  const cut = document.getElementById("cut");
  const selects = { a: document.getElementById("a"), b: document.getElementById("b") };

  // One zoom and place for all views: the part of the picture that stands at the
  // view's upper left, in units of the view.
  const MOST = 32;
  let zoom = 1, left = 0, top = 0;

  function show() {
    const room = 1 - 1 / zoom;
    left = Math.min(Math.max(left, 0), room);
    top = Math.min(Math.max(top, 0), room);
    root.style.setProperty("--zoom", zoom);
    root.style.setProperty("--x", -left * zoom);
    root.style.setProperty("--y", -top * zoom);
    root.classList.toggle("zoomed", zoom > 1);
    root.classList.toggle("large", zoom >= 4);
    document.getElementById("zoom").value = Math.round(100 * zoom) + " %";
  }

  // x and y are the point of the view, 0 to 1, that stays where it is.
  function zoomBy(factor, x = 0.5, y = 0.5) {
    const before = zoom;
    zoom = Math.min(Math.max(zoom * factor, 1), MOST);
    left += x / before - x / zoom;
    top += y / before - y / zoom;
    show();
  }

  function moveBy(x, y) {
    left += x / zoom;
    top += y / zoom;
    show();
  }

  function reset() {
    zoom = 1;
    left = top = 0;
    show();
  }

  function within(view, event) {
    const box = view.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  function setCut(percent) {
    cut.value = Math.min(Math.max(percent, 0), 100);
    stage.style.setProperty("--cut", cut.value + "%");
  }

  for (const view of document.querySelectorAll(".view:not(.missing)")) {
    const pointers = new Map();
    let cutting = false;

    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 300), ...within(view, event));
    }, { passive: false });

    view.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".handle")) zoomBy(event.shiftKey ? 0.5 : 2, ...within(view, event));
    });

    view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, within(view, event));
      cutting = view === stage && (zoom === 1 || event.target.closest(".handle") !== null);
      view.setPointerCapture(event.pointerId);
      if (cutting) setCut(100 * within(view, event)[0]);
    });

    view.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const now = within(view, event);
      if (pointers.size === 2) { // a pinch
        const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
        const spread = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]);
        if (spread(last) > 0) zoomBy(spread(now) / spread(last), other[0], other[1]);
      } else if (cutting) {
        setCut(100 * now[0]);
      } else {
        moveBy(last[0] - now[0], last[1] - now[1]);
      }
      pointers.set(event.pointerId, now);
    });

    for (const end of ["pointerup", "pointercancel"]) {
      view.addEventListener(end, (event) => pointers.delete(event.pointerId));
    }

    view.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = 0.1;
      const act = {
        "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), "0": reset,
        ArrowLeft: () => moveBy(-step, 0), ArrowRight: () => moveBy(step, 0),
        ArrowUp: () => moveBy(0, -step), ArrowDown: () => moveBy(0, step),
      }[event.key];
      // Arrows scroll the page where there is nothing to move.
      if (!act || (zoom === 1 && event.key.startsWith("Arrow"))) return;
      event.preventDefault();
      act();
    });
  }

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoomBy(1.5), out: () => zoomBy(1 / 1.5), reset })[button.dataset.zoom]());
  }

  const width = document.getElementById("width");
  width.addEventListener("input", () => root.style.setProperty("--column", width.value + "px"));

  cut.addEventListener("input", () => setCut(cut.value));

  // The slider shows the very images of the grid.
  function choose(side, index) {
    const image = images[index];
    selects[side].value = index;
    const over = stage.querySelector(".over-" + side);
    over.src = image.src;
    over.alt = image.dataset.name;
    stage.querySelector(".tag-" + side).textContent = image.dataset.name;
    for (const button of document.querySelectorAll(`[data-side="${side}"]`)) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.index) === index));
    }
  }

  for (const side of ["a", "b"]) {
    images.forEach((image, index) => selects[side].append(new Option(image.dataset.name, index)));
    selects[side].addEventListener("change", () => choose(side, Number(selects[side].value)));
  }
  for (const button of document.querySelectorAll("[data-side]")) {
    button.addEventListener("click", () => choose(button.dataset.side, Number(button.dataset.index)));
  }
  document.getElementById("swap").addEventListener("click", () => {
    const a = Number(selects.a.value), b = Number(selects.b.value);
    choose("a", b);
    choose("b", a);
  });

  const made = images.map((_, index) => index).filter((index) => !images[index].closest(".reference"));
  choose("a", made[0] ?? 0);
  choose("b", made[1] ?? images.length - 1);
  const first = images[made[0] ?? 0];
  root.style.setProperty("--aspect", first.getAttribute("width") + " / " + first.getAttribute("height"));
  root.style.setProperty("--ratio", first.getAttribute("width") / first.getAttribute("height"));
  setCut(50);
  show();
})();
