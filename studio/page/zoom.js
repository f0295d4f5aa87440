// The shape of pictures, and the buttons that zoom them.
import { button, h } from "./dom.js";
import { text } from "./strings.js";

// shape gives an element the shape of a picture, in the looks' variables.
export function shape(element, { width, height }) {
  element.style.setProperty("--aspect", `${width} / ${height}`);
  element.style.setProperty("--ratio", width / height);
}

// zoomBar are the buttons of views.
export function zoomBar(views) {
  const output = h("output", { "aria-label": text.zoom });
  const fit = button(text.fit, { class: "quiet" }), actual = button("100 %", { class: "quiet", "aria-label": text.actual, title: text.actual });
  const out = button(text.zoomOut, { picture: "minus", bare: true, class: "quiet" }), into = button(text.zoomIn, { picture: "add", bare: true, class: "quiet" });
  for (const [one, does] of [[out, "out"], [into, "in"], [fit, "fit"], [actual, "actual"]]) views.button(one, does);
  return {
    element: h("div", { class: "zoom", role: "toolbar", "aria-label": text.zoomOfAll }, out, output, into, fit, actual),
    draw() {
      output.value = views.text();
      fit.setAttribute("aria-pressed", String(views.scale === null));
      actual.setAttribute("aria-pressed", String(views.scale === 1));
    },
  };
}
