// What the page knows of the studio, kept up to date by its events.
import * as api from "./api.js";

// Runs are by id, newest first where they are listed. Connection is "connecting", "open",
// "lost" or "refused", where the address needs a token. Shown is what the picture's part
// of the page shows: {kind: "new"}, {kind: "run", id}, {kind: "group", id} or
// {kind: "compare", a, b}.
export const state = {
  info: null, settings: [], presets: [], losses: [],
  pictures: new Map(), runs: new Map(), curves: new Map(),
  connection: "connecting", known: false, snapshots: 0, hidden: new Set(), shown: { kind: "new" },
};

const bus = new EventTarget();

// on calls back after events: "runs" where a run is there, gone or changed, "progress"
// with a run's id, "connection", "pictures", "shown" and "draft".
export function on(names, callback) {
  for (const name of names.split(" ")) bus.addEventListener(name, (event) => callback(event.detail));
}

export const tell = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

// Unfinished runs are those that still may change.
const UNFINISHED = new Set(["queued", "starting", "running", "pausing", "paused", "stopping"]);
const WORKING = new Set(["starting", "running", "pausing", "stopping"]);
export const unfinished = (run) => UNFINISHED.has(run.state);
export const working = (run) => WORKING.has(run.state);

// runs are all, newest first, but those that are about to be deleted.
export const runs = () => [...state.runs.values()].filter((run) => !state.hidden.has(run.id))
  .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || b.id.localeCompare(a.id));

// sheetOf is the group of six that a run is one of, if it is. An enlarged one of them
// stands for itself.
export const sheetOf = (run) => (run.enlarges ? "" : run.group);

export const groupOf = (group) => runs().filter((run) => sheetOf(run) === group).reverse();

// told counts the events about runs, by their ids.
const told = new Map();

// ask sends a request whose answer is a run, and keeps that, unless an event has come
// meanwhile, which may be newer.
export async function ask(request, id) {
  const before = told.get(id);
  const run = await request;
  if (told.get(run.id) === before) {
    state.runs.set(run.id, run);
    tell("runs", run.id);
  }
  return state.runs.get(run.id) ?? run;
}

function forget(id) {
  state.runs.delete(id);
  state.curves.delete(id);
  state.hidden.delete(id);
  tell("runs", id);
}

function progressed({ run: id, progress }) {
  const run = state.runs.get(id);
  if (!run) return;
  run.progress = progress;
  const curve = state.curves.get(id);
  if (curve && progress.done > (curve.at(-1)?.done ?? 0)) {
    const { level, iteration, done, loss, terms, seconds } = progress;
    curve.push({ level, iteration, done, loss, terms, seconds });
  }
  tell("progress", id);
}

function connected(as) {
  if (state.connection === as) return;
  state.connection = as;
  tell("connection");
}

// RETRY is how long to wait before connecting again, in milliseconds.
const RETRY = 1000;

// connect listens to the events for good. A stream that broke off begins anew with all
// runs as they are then.
export function connect() {
  const source = new EventSource(api.events);
  const listen = (name, act) => source.addEventListener(name, (event) => act(JSON.parse(event.data)));
  listen("snapshot", ({ runs }) => {
    state.runs = new Map(runs.map((run) => [run.id, run]));
    state.curves.clear();
    state.snapshots++;
    state.known = true;
    connected("open");
    tell("runs", null);
  });
  listen("run", (run) => {
    told.set(run.id, (told.get(run.id) ?? 0) + 1);
    state.runs.set(run.id, run);
    tell("runs", run.id);
  });
  listen("progress", progressed);
  listen("removed", ({ run }) => forget(run));
  source.addEventListener("error", async () => {
    source.close();
    connected("lost");
    await new Promise((wait) => setTimeout(wait, RETRY));
    try {
      await api.get("");
    } catch (problem) {
      if (problem.status === 401 || problem.status === 403) return connected("refused");
    }
    connect();
  });
}

// load fetches what doesn't change while the server runs.
export async function load() {
  const [info, known] = await Promise.all([api.get(""), api.get("settings")]);
  state.info = info;
  state.settings = known.settings;
  state.presets = known.presets ?? [];
  state.losses = known.losses ?? [];
  await loadPictures();
}

export async function loadPictures() {
  const { pictures } = await api.get("pictures");
  state.pictures = new Map(pictures.map((picture) => [picture.id, picture]));
  tell("pictures");
}

export function keepPicture(picture) {
  state.pictures.set(picture.id, picture);
  tell("pictures");
  return picture;
}

// loadCurve fetches the curve of a run, which events then go on with.
export async function loadCurve(id) {
  const { points } = await api.get(api.runPath(id, "curve"));
  state.curves.set(id, points);
  tell("progress", id);
}

// show chooses what the page shows. The address says it, so that it can be kept, and gone
// back to.
export function show(what, { replace } = {}) {
  const part = encodeURIComponent;
  const address = "#" + ({ run: () => `run=${part(what.id)}`, group: () => `six=${part(what.id)}`, compare: () => `compare=${part(what.a)},${part(what.b)}` }[what.kind]?.() ?? "");
  if (location.hash !== address) history[replace ? "replaceState" : "pushState"](null, "", address === "#" ? location.pathname : address);
  state.shown = what;
  tell("shown");
}

// readAddress shows what the address says.
export function readAddress() {
  const [kind, value = ""] = location.hash.slice(1).split("=");
  const [a = "", b = ""] = value.split(",").map((one) => {
    try {
      return decodeURIComponent(one);
    } catch {
      return ""; // which is nothing's name
    }
  });
  state.shown = { run: { kind: "run", id: a }, six: { kind: "group", id: a }, compare: { kind: "compare", a, b } }[kind] ?? { kind: "new" };
  tell("shown");
}
