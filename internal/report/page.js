// What is from the module views.js of internal/web stands before this text.
const root = document.documentElement;
const images = [...document.querySelectorAll("#pictures img")];
const stage = document.querySelector(".stage");
const selects = { a: document.getElementById("a"), b: document.getElementById("b") };

const made = images.map((_, index) => index).filter((index) => !images[index].closest(".reference") && !images[index].hidden);
const views = new Views(Number(images[made[0] ?? 0].getAttribute("width")), () => {
  document.getElementById("zoom").value = views.text();
  for (const [name, on] of [["fit", views.scale === null], ["actual", views.scale === 1]]) {
    document.querySelector(`[data-zoom=${name}]`).setAttribute("aria-pressed", String(on));
  }
});
const slider = new Slider(stage, document.getElementById("cut"));
for (const view of document.querySelectorAll(".view:not(.missing)")) views.add(view, view === stage ? slider : undefined);
for (const button of document.querySelectorAll("[data-zoom]")) views.button(button, button.dataset.zoom);
new Blinker(stage, document.getElementById("blink"));

const width = document.getElementById("width");
width.addEventListener("input", () => {
  root.style.setProperty("--column", width.value + "px");
  root.classList.add("sized");
});

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
slider.cut(50);
views.show();
