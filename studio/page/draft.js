// The picture that is being set up: what a run would be made of.
import * as api from "./api.js";
import { state, tell, unfinished } from "./store.js";

// A draft has the photo, paintings with their weights and masks, what is protected, and
// the settings that differ from the defaults. From is the run that it was taken from.
const empty = () => ({ content: null, styles: [], protect: null, settings: {}, from: null });

const KEPT = "draft";

export let draft = restore();

// aside is the draft that was being set up before a run was looked at.
let aside = null;

function restore() {
  try {
    return { ...empty(), ...JSON.parse(sessionStorage.getItem(KEPT)) };
  } catch {
    return empty();
  }
}

// change alters the draft and tells so.
export function change(alter) {
  alter(draft);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(draft));
  } catch {
    // Where nothing may be kept, a reload begins anew.
  }
  tell("draft");
}

function replace(by) {
  draft = by;
  change(() => {});
}

// prune takes pictures out that are no more in the studio, as in a draft that was kept
// while the studio had another folder.
export function prune() {
  const gone = (picture) => picture && !state.pictures.has(picture.id);
  if (!gone(draft.content) && !draft.styles.some((style) => gone(style.picture))) return;
  change((d) => {
    if (gone(d.content)) d.content = d.protect = null;
    d.styles = d.styles.filter((style) => !gone(style.picture));
    d.from = null;
  });
}

// takeRun makes the draft that of a run, to paint the like or to change it.
export function takeRun(run) {
  if (draft.from === run.id) return;
  if (!draft.from && (draft.content || draft.styles.length)) aside = draft;
  replace(copyOf(run));
  taken = JSON.stringify(draft);
}

// follow keeps a draft that hasn't been changed like its run, which another page may have
// changed.
export function follow(id) {
  const run = id && id === draft.from && state.runs.get(id);
  if (!run) return;
  const now = JSON.stringify(copyOf(run));
  if (now !== taken && JSON.stringify(draft) === taken) replace(JSON.parse(now));
  taken = now;
}

// retake makes the draft the run that it was taken from, as that is now.
export function retake(run) {
  replace(copyOf(run));
  taken = JSON.stringify(draft);
}

// taken is the run of the draft as it was last seen, as text.
let taken = draft.from ? JSON.stringify(draft) : null;

function copyOf(run) {
  return {
    content: run.content, protect: run.protect ?? null, settings: texts(run.settings), from: run.id,
    styles: run.styles.map(({ picture, weight, mask, style_mask }) => ({ picture, weight, mask: mask ?? null, style_mask: style_mask ?? null })),
  };
}

// takeNew goes back to the draft from before, or goes on with this one as a new picture.
export function takeNew() {
  if (!draft.from) return;
  replace(aside ?? { ...draft, from: null });
  aside = null;
}

// clear begins with nothing.
export function clear() {
  aside = null;
  replace(empty());
}

const texts = (settings = {}) => Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

// setting is the value of a setting as text, its default unless the draft has it.
export const setting = (name) => draft.settings[name] ?? defaultOf(name);

export const defaultOf = (name) => String(state.settings.find((s) => s.name === name)?.default ?? "");

// Each of these chooses what the other does.
const EXCLUDES = { strength: "content-weight", "content-weight": "strength" };

// set gives a setting a value; its default, or null, takes it out. A strength stays: it
// means another content weight for each loss, and without one there is but one weight.
export function set(name, value) {
  change(({ settings }) => {
    if (value === null || String(value) === defaultOf(name) && name !== "strength") delete settings[name];
    else settings[name] = String(value);
    if (EXCLUDES[name] && settings[name] !== undefined) delete settings[EXCLUDES[name]];
  });
}

// ready tells whether there is what a run needs.
export const ready = () => Boolean(draft.content && draft.styles.length);

// body is the draft as the API takes it.
export function body(settings = draft.settings) {
  return {
    content: draft.content.id,
    styles: draft.styles.map(({ picture, weight, mask, style_mask }) => ({
      picture: picture.id, weight, ...(mask && { mask }), ...(mask && style_mask && { style_mask }),
    })),
    ...(draft.protect && { protect: draft.protect }),
    settings,
  };
}

// changes are what a run that isn't finished would be told to become like the draft, or
// null where nothing differs, or the pictures do, which can't be changed.
export function changes() {
  const run = state.runs.get(draft.from);
  if (!run || !unfinished(run)) return null;
  const was = copyOf(run), is = draft;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  if (was.content.id !== is.content?.id || !same(was.styles.map((s) => s.picture.id), is.styles.map((s) => s.picture.id))) return null;
  const sorted = (settings) => Object.entries(settings).sort();
  const changed = {};
  if (!same(sorted(was.settings), sorted(is.settings))) changed.settings = is.settings;
  if (!same(was.styles, is.styles)) changed.styles = body().styles;
  if (was.protect !== is.protect) changed.protect = is.protect ?? "";
  return Object.keys(changed).length ? changed : null;
}

// withSize is the settings at another size.
export function withSize(settings, size) {
  const made = { ...settings, size: String(size) };
  if (made.size === defaultOf("size")) delete made.size;
  return made;
}

// isMask tells pictures that the page made as masks from those that people brought.
export const isMask = (picture) => picture.name.endsWith(MASK);

const MASK = ".mask.png";

// uploadMask sends a mask, and gives its id.
export async function uploadMask(blob, picture) {
  const name = picture.name.replace(/\.[^.]*$/, "") + MASK;
  return (await api.upload(blob, name)).id;
}
