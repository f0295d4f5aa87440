// Curves of the loss and its terms, drawn as those of the comparison's page look.
import { h, svg } from "./dom.js";
import * as format from "./format.js";
import { state } from "./store.js";
import { text } from "./strings.js";

// The drawing's measures, in pixels. Its width is that of its place, from least to most.
const LEAST = 320, MOST = 760, LEFT = 46, TOP = 10, BOTTOM = 250, HEIGHT = 290, LINE = 15, KEY = 18, LETTER = 6.6;

// DASHES tell layers apart that share their loss's colour, from the first to the last.
const DASHES = ["1 3", "2 3", "5 3", "9 3", null];

// Chart draws the curve of one run: by term or the whole, linear or logarithmic.
export class Chart {
  constructor() {
    this.logarithmic = true;
    this.byTerm = true;
    this.place = h("div", { class: "scroll chart-place", tabindex: 0, role: "region", "aria-label": text.curves });
    this.summary = h("p", { class: "unseen" });
    new ResizeObserver(() => { if (this.points) this.draw(); }).observe(this.place);
    const choice = (name, options) => h("div", { class: "segmented", role: "group" }, options.map(([value, words]) => {
      const one = h("button", { type: "button", "aria-pressed": String(this[name] === value), onclick: () => {
        this[name] = value;
        for (const other of one.parentNode.children) other.setAttribute("aria-pressed", String(other === one));
        this.draw();
      } }, words);
      return one;
    }));
    this.element = h("div", { class: "curves" }, h("div", { class: "row" },
      choice("byTerm", [[true, text.byTerm], [false, text.wholeLoss]]), choice("logarithmic", [[true, text.logarithmic], [false, text.linear]])), this.place, this.summary);
  }

  show(run, points) {
    this.run = run;
    this.points = points;
    this.draw();
  }

  draw() {
    const points = this.points ?? [];
    if (points.length < 2) {
      this.drawn = null;
      this.place.replaceChildren(h("p", { class: "soft" }, text.noCurve));
      return;
    }
    const series = this.series(points);
    const picture = drawing(points, series, this.logarithmic, Math.min(Math.max(this.place.clientWidth, LEAST), MOST));
    picture.setAttribute("aria-label", text.curveSays(points.at(-1).done, format.short(points[0].loss), format.short(points.at(-1).loss)));
    this.place.replaceChildren(picture);
    this.summary.textContent = series.map((one) => `${one.name}: ${format.short(one.values.at(-1))}`).join(", ");
  }

  // series are the lines: names, values by point and looks.
  series(points) {
    const whole = { name: text.wholeLossShort, values: points.map((p) => p.loss), kind: "whole" };
    if (!this.byTerm) return [whole];
    const names = [...new Set(points.flatMap((p) => Object.keys(p.terms ?? {})))];
    const colour = (loss) => state.losses.find((l) => l.name === loss)?.colour;
    const main = String(this.run.settings.loss ?? state.settings.find((s) => s.name === "loss")?.default ?? "");
    const own = Object.fromEntries(String(this.run.settings["layer-loss"] ?? "").split(",").map((one) => one.split("=")));
    const styles = names.filter((name) => name.startsWith("style "));
    return [whole, ...names.map((name) => {
      const [kind, layer, loss] = name.split(" ");
      return {
        name: name.replace(/^(style|content) /, kind === "content" ? "content " : ""), values: points.map((p) => p.terms?.[name]),
        kind: kind === "style" ? "style" : kind === "content" ? "content" : "smooth",
        colour: kind === "style" ? colour(loss ?? own[layer] ?? main) : undefined,
        dash: kind === "style" ? DASHES[DASHES.length - Math.min(styles.length, DASHES.length) + styles.indexOf(name)] ?? null : null,
      };
    })];
  }
}

function drawing(points, series, logarithmic, width) {
  const shown = series.map((one) => ({ ...one, values: one.values.map((v) => (Number.isFinite(v) && (!logarithmic || v > 0) ? v : NaN)) }))
    .filter((one) => one.values.some((v) => !Number.isNaN(v)));
  const all = shown.flatMap((one) => one.values.filter((v) => !Number.isNaN(v)));
  const along = (v) => (logarithmic ? Math.log10(v) : v);
  let low = logarithmic ? along(Math.min(...all)) : 0, high = along(Math.max(...all));
  // A term that is next to nothing mustn't flatten the others.
  if (logarithmic) low = Math.max(low, high - 5);
  const room = Math.max(0.05 * (high - low), logarithmic ? 0.05 : 1e-9);
  high += room;
  if (logarithmic) low -= room;
  const last = points.at(-1).done, first = points[0].done;
  const right = width - KEY - 26 - LETTER * Math.max(...shown.map((one) => one.name.length));
  const x = (done) => LEFT + (right - LEFT) * (done - first) / Math.max(1, last - first);
  const y = (v) => TOP + (BOTTOM - TOP) * Math.min(1, (high - along(v)) / (high - low));
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img" });
  const grid = svg("g", { class: "grid" });
  for (const tick of logarithmic ? decades(low, high) : even(high)) {
    grid.append(svg("path", { d: `M${LEFT} ${y(tick).toFixed(1)}H${right}` }), svg("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, format.short(tick)));
  }
  for (const tick of even(last).filter((t) => t >= first)) {
    grid.append(svg("path", { d: `M${x(tick).toFixed(1)} ${BOTTOM}v5` }), svg("text", { x: x(tick), y: BOTTOM + 18, "text-anchor": "middle" }, String(tick)));
  }
  grid.append(svg("path", { d: `M${LEFT} ${BOTTOM}H${right}` }), svg("text", { x: (LEFT + right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, text.iterationsAxis));
  // Where the picture grew, the loss is another one.
  points.forEach((p, i) => {
    if (i && p.level !== points[i - 1].level) grid.append(svg("path", { class: "grew", d: `M${((x(p.done) + x(points[i - 1].done)) / 2).toFixed(1)} ${TOP}V${BOTTOM}` }));
  });
  picture.append(grid);
  const ends = shown.map((one) => { const at = one.values.findLastIndex((v) => !Number.isNaN(v)); return { one, x: x(points[at].done), y: y(one.values[at]) }; }).sort((a, b) => a.y - b.y);
  spread(ends);
  for (const end of ends) picture.append(line(end, points, x, y, right));
  return picture;
}

function line({ one, x: endX, y: endY, at }, points, x, y, right) {
  const group = svg("g", { class: `series ${one.kind}` }, svg("title", {}, one.name));
  if (one.colour) {
    group.style.setProperty("--light", one.colour.light);
    group.style.setProperty("--dark", one.colour.dark);
    group.classList.add("coloured");
  }
  let d = "", pen = "M", level;
  one.values.forEach((v, i) => {
    if (Number.isNaN(v)) return void (pen = "M");
    if (points[i].level !== level) pen = "M";
    level = points[i].level;
    d += `${pen}${x(points[i].done).toFixed(1)} ${y(v).toFixed(1)}`;
    pen = "L";
  });
  const lines = svg("g", { class: "line" }, svg("path", { d }), svg("path", { d: `M${right + 12} ${at.toFixed(1)}h${KEY}` }));
  if (one.dash) lines.style.setProperty("stroke-dasharray", one.dash);
  group.append(svg("path", { class: "leader", d: `M${endX.toFixed(1)} ${endY.toFixed(1)}L${right + 10} ${at.toFixed(1)}` }), lines,
    svg("text", { x: right + KEY + 18, y: at + 4 }, one.name));
  return group;
}

// spread places labels at least a line apart, near where their curves end.
function spread(ends) {
  ends.forEach((end, i) => { end.at = Math.max(end.y, i ? ends[i - 1].at + LINE : TOP + 4); });
  for (let i = ends.length - 1, most = BOTTOM; i >= 0; i--, most = ends[i + 1].at - LINE) ends[i].at = Math.min(ends[i].at, most);
}

// decades are powers of ten between two logarithms, or with twos and fives where those
// are few.
function decades(low, high) {
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const digit of high - low < 1.5 ? [1, 2, 5] : [1]) {
      const at = power + Math.log10(digit);
      if (at >= low && at <= high) ticks.push(digit * 10 ** power);
    }
  }
  return ticks;
}

// even are some round numbers from 0 to the highest.
function even(high) {
  const rough = high / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((s) => s * power >= rough) * power;
  const ticks = [];
  for (let i = 0; i * step <= high * 1.0001; i++) ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}
