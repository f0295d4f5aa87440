// The page, put together.
import { button, h } from "./dom.js";
import { prune, takeNew } from "./draft.js";
import { acceptDrops } from "./pictures.js";
import { startRuns } from "./runs.js";
import { startSetup } from "./setup.js";
import { lineOf } from "./line.js";
import { startStage } from "./stage.js";
import { connect, load, on, readAddress, runs, sheetOf, show, state, unfinished, working } from "./store.js";
import { text } from "./strings.js";
import { say, startToasts, takeBack } from "./toast.js";

const place = (id) => document.getElementById(id);

// startTabs are the three parts of the page where there is room for one.
function startTabs() {
  const main = place("main");
  const tabs = [["setup", text.tabs.setup], ["stage", text.tabs.stage], ["runs", text.tabs.runs]].map(([part, words]) => button(words, { "data-part": part, onclick: () => go(part, true) }));
  place("tabs").append(...tabs);
  function go(part, byHand) {
    main.dataset.part = part;
    for (const tab of tabs) {
      if (tab.dataset.part === part) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    if (byHand) scrollTo(0, 0);
    // The focus doesn't stay in a part that isn't seen.
    else if (!document.activeElement.checkVisibility()) place(part).focus();
  }
  go(state.shown.kind === "new" ? "setup" : "stage");
  on("shown", () => { go(state.shown.kind === "new" ? "setup" : "stage"); scrollTo(0, 0); });
}

// startConnection says where the server can't be reached.
function startConnection() {
  const banner = place("connection");
  let was = state.connection;
  const draw = () => {
    const lost = state.connection === "lost" || state.connection === "refused";
    banner.hidden = !lost;
    const says = lost ? text.connection[state.connection] : "";
    if (banner.textContent !== says) banner.textContent = says;
    if (state.connection === "open" && was === "lost") {
      takeBack(text.unreachable);
      say(text.connection.again);
    }
    was = state.connection;
  };
  on("connection", draw);
  draw();
}

// startTitle has the window's title say how far the run is that is shown, or what goes on.
function startTitle() {
  const draw = () => {
    const { shown } = state;
    const run = (shown.kind === "run" && state.runs.get(shown.id)) || runs().find(working);
    const share = run && unfinished(run) && run.progress ? `${Math.round(100 * run.progress.share)} % · ` : "";
    document.title = share + (run && shown.kind === "run" ? `${run.name} · ${text.title}` : text.title);
  };
  on("runs progress shown", draw);
  draw();
}

// startVoice tells those who listen what becomes of the run that is shown: not every
// percent, but each scale and the end.
function startVoice() {
  const heard = new Map();
  const listen = (id) => {
    const run = state.runs.get(id);
    if (!run || state.shown.id !== id) return;
    const scale = run.progress?.level ?? 0;
    const now = `${run.state} ${scale} ${Boolean(run.progress?.picture)}`;
    const before = heard.get(id);
    heard.set(id, now);
    if (before === undefined || before === now) return;
    if (run.state === "failed") say(text.failedSays(run.name, run.error ?? ""));
    else say([text.states[run.state], lineOf(run)].filter(Boolean).join(": "));
  };
  on("runs progress", listen);
}

function start() {
  document.documentElement.lang = "en";
  startToasts();
  place("brand").append(h("span", { class: "mark", "aria-hidden": "true" }), h("span", null, "impasto"), h("span", { class: "soft" }, text.studio));
  place("brand").addEventListener("click", (event) => { event.preventDefault(); takeNew(); show({ kind: "new" }); });
  place("skip").textContent = text.skip;
  place("setup").setAttribute("aria-label", text.tabs.setup);
  place("stage").setAttribute("aria-label", text.tabs.stage);
  place("runs").setAttribute("aria-label", text.history);
  place("tabs").setAttribute("aria-label", text.parts);
  readAddress();
  startSetup(place("setup"));
  startStage(place("stage"));
  startRuns(place("runs"));
  startTabs();
  startConnection();
  startTitle();
  startVoice();
  acceptDrops();
  addEventListener("popstate", readAddress);
  addEventListener("hashchange", readAddress);
  // What goes on is shown to those who come to no address in particular.
  let first = true;
  on("runs", () => {
    if (!first || !state.known) return;
    first = false;
    const going = runs().find(unfinished);
    if (state.shown.kind === "new" && !location.hash && going) show(sheetOf(going) ? { kind: "group", id: going.group } : { kind: "run", id: going.id }, { replace: true });
    else readAddress();
  });
  on("pictures", () => { place("about").textContent = state.info ? text.machine(state.info) : ""; });
  connect();
  let loading = false;
  const loadAll = async () => {
    if (state.info || loading) return;
    loading = true;
    await load().then(prune, () => {}); // it is tried again once there is a connection
    loading = false;
  };
  on("connection", loadAll);
  loadAll();
}

start();
