"use strict";
(() => {
  const root = document.documentElement;
  const images = [...document.querySelectorAll("#pictures img")];
  const stage = document.querySelector(".stage");
  const cut = document.getElementById("cut");
  const selects = { a: document.getElementById("a"), b: document.getElementById("b") };

  // One scale and place for all views: how many pixels of the page a pixel of the
  // picture takes, or null where each view fits the whole picture; and the point of
  // the picture, 0 to 1, that stands in the middle.
  const MOST = 32;
  const views = [...document.querySelectorAll(".view:not(.missing)")];
  const made = images.map((_, index) => index).filter((index) => !images[index].closest(".reference") && !images[index].hidden);
  const pixels = Number(images[made[0] ?? 0].getAttribute("width"));
  let scale = null;
  const middle = { x: 0.5, y: 0.5 };

  const fitOf = (view) => view.clientWidth / pixels;
  const zoomOf = (view) => scale === null ? 1 : scale / fitOf(view);
  const percent = (value) => Math.round(100 * value) + " %";

  // The part of the picture, 0 to 1, left of the view or above it.
  function edge(zoom, at) {
    const room = 1 - 1 / zoom;
    return room > 0 ? Math.min(Math.max(at - 0.5 / zoom, 0), room) : room / 2;
  }

  function show() {
    for (const view of views) {
      const zoom = zoomOf(view);
      view.style.setProperty("--zoom", zoom);
      view.style.setProperty("--x", Math.round(-edge(zoom, middle.x) * zoom * view.clientWidth) + "px");
      view.style.setProperty("--y", Math.round(-edge(zoom, middle.y) * zoom * view.clientHeight) + "px");
      view.classList.toggle("movable", zoom > 1);
      view.classList.toggle("large", zoom * fitOf(view) >= 3);
    }
    document.getElementById("zoom").value = scale === null ? "fit, " + percent(fitOf(views[0])) : percent(scale);
    for (const [name, on] of [["fit", scale === null], ["actual", scale === 1]]) {
      document.querySelector(`[data-zoom=${name}]`).setAttribute("aria-pressed", String(on));
    }
  }

  // Keeps the middle where the view can have it.
  function settle(view) {
    const zoom = zoomOf(view);
    for (const axis of ["x", "y"]) middle[axis] = edge(zoom, middle[axis]) + 0.5 / zoom;
    show();
  }

  // x and y are the point of the view, 0 to 1, that stays where it is.
  function scaleTo(wanted, view = views[0], x = 0.5, y = 0.5) {
    const before = zoomOf(view);
    const fits = views.map(fitOf);
    scale = Math.min(Math.max(wanted, Math.min(1, ...fits)), Math.max(MOST, ...fits));
    const after = zoomOf(view);
    middle.x = edge(before, middle.x) + x / before - x / after + 0.5 / after;
    middle.y = edge(before, middle.y) + y / before - y / after + 0.5 / after;
    settle(view);
  }

  function zoomBy(factor, view = views[0], x = 0.5, y = 0.5) {
    scaleTo(factor * zoomOf(view) * fitOf(view), view, x, y);
  }

  function moveBy(view, x, y) {
    middle.x += x / zoomOf(view);
    middle.y += y / zoomOf(view);
    settle(view);
  }

  function fit() {
    scale = null;
    middle.x = middle.y = 0.5;
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

  for (const view of views) {
    const pointers = new Map();
    let cutting = false;

    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the wheel alone scrolls the page
      event.preventDefault();
      zoomBy(Math.exp(-event.deltaY / 300), view, ...within(view, event));
    }, { passive: false });

    view.addEventListener("dblclick", (event) => {
      if (!event.target.closest(".handle")) zoomBy(event.shiftKey ? 0.5 : 2, view, ...within(view, event));
    });

    view.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, within(view, event));
      cutting = view === stage && (zoomOf(view) <= 1 || event.target.closest(".handle") !== null);
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
        if (spread(last) > 0) zoomBy(spread(now) / spread(last), view, other[0], other[1]);
      } else if (cutting) {
        setCut(100 * now[0]);
      } else {
        moveBy(view, last[0] - now[0], last[1] - now[1]);
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
        "+": () => zoomBy(1.5, view), "=": () => zoomBy(1.5, view), "-": () => zoomBy(1 / 1.5, view), "0": fit, "1": () => scaleTo(1, view),
        ArrowLeft: () => moveBy(view, -step, 0), ArrowRight: () => moveBy(view, step, 0),
        ArrowUp: () => moveBy(view, 0, -step), ArrowDown: () => moveBy(view, 0, step),
      }[event.key];
      // Arrows scroll the page where there is nothing to move.
      if (!act || (zoomOf(view) <= 1 && event.key.startsWith("Arrow"))) return;
      event.preventDefault();
      act();
    });
  }

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => ({ in: () => zoomBy(1.5), out: () => zoomBy(1 / 1.5), fit, actual: () => scaleTo(1) })[button.dataset.zoom]());
  }

  const width = document.getElementById("width");
  width.addEventListener("input", () => {
    root.style.setProperty("--column", width.value + "px");
    root.classList.add("sized");
  });

  cut.addEventListener("input", () => setCut(cut.value));

  // The slider shows the very images of the grid.
  function choose(side, index) {
    const image = images[index];
    selects[side].value = index;
    const over = stage.querySelector(".over-" + side);
    over.src = image.src;
    over.alt = image.dataset.name;
    stage.querySelector(".tag-" + side).textContent = image.dataset.name;
    press(side);
  }

  // The buttons of the pictures that are under the slider show as pressed.
  function press(side) {
    for (const button of document.querySelectorAll(`[data-side="${side}"]`)) {
      button.setAttribute("aria-pressed", String(button.dataset.index === selects[side].value));
    }
  }

  for (const side of ["a", "b"]) {
    images.forEach((image, index) => selects[side].append(new Option(image.dataset.name, index)));
    selects[side].addEventListener("change", () => choose(side, Number(selects[side].value)));
  }
  for (const button of document.querySelectorAll("[data-side]")) {
    button.addEventListener("click", () => choose(button.dataset.side, Number(button.dataset.index)));
  }

  // Of a picture under several seeds one is seen.
  function see(button) {
    const figure = button.closest("figure");
    for (const other of figure.querySelectorAll("[data-seed]")) {
      other.setAttribute("aria-pressed", String(other === button));
      images[Number(other.dataset.shows)].hidden = other !== button;
    }
    for (const ab of figure.querySelectorAll("[data-side]")) ab.dataset.index = button.dataset.shows;
    for (const side of ["a", "b"]) press(side);
  }
  for (const button of document.querySelectorAll("[data-seed]")) {
    button.addEventListener("click", () => see(button));
  }
  document.getElementById("seed")?.addEventListener("change", (event) => {
    document.querySelectorAll(`[data-seed="${event.target.value}"]`).forEach(see);
  });

  document.getElementById("swap").addEventListener("click", () => {
    const a = Number(selects.a.value), b = Number(selects.b.value);
    choose("a", b);
    choose("b", a);
  });

  choose("a", made[0] ?? 0);
  choose("b", made[1] ?? images.length - 1);
  setCut(50);
  show();
  const resized = new ResizeObserver(show);
  for (const view of views) resized.observe(view);
})();
