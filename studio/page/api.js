// The studio's API, as docs and openapi.json describe it.
import { text } from "./strings.js";

const BASE = "api/v1/";

// Problem is why a request failed; field is the setting that is at fault, if one is.
// Status 0 is no answer at all.
class Problem extends Error {
  constructor(status, message, field) {
    super(message);
    this.status = status;
    this.field = field;
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, body.detail || body.title || text.failed(response.status), body.field);
}

async function request(method, path, body, signal) {
  let response;
  try {
    response = await fetch(BASE + path, {
      method, signal, cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, text.unreachable);
  }
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? null : response.json();
}

export const get = (path, signal) => request("GET", path, undefined, signal);
export const post = (path, body = {}, signal) => request("POST", path, body, signal);
export const patch = (path, body) => request("PATCH", path, body);

// remove is DELETE. Where the page is about to go, it is sent all the same.
export function remove(path, { leaving } = {}) {
  if (leaving) return void fetch(BASE + path, { method: "DELETE", keepalive: true });
  return request("DELETE", path);
}

// upload sends a picture. It tells how much has gone, 0 to 1, and ends with a Picture.
export function upload(file, name, progress = () => {}) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const sender = new XMLHttpRequest(); // fetch doesn't tell how much has gone
  sender.open("POST", `${BASE}pictures?name=${encodeURIComponent(name)}`);
  sender.responseType = "json";
  sender.upload.addEventListener("progress", (event) => { if (event.lengthComputable) progress(event.loaded / event.total); });
  sender.addEventListener("load", () => {
    const body = sender.response ?? {};
    if (sender.status >= 200 && sender.status < 300) resolve(body);
    else reject(new Problem(sender.status, body.detail || body.title || text.failed(sender.status)));
  });
  for (const end of ["error", "abort", "timeout"]) sender.addEventListener(end, () => reject(new Problem(0, text.unreachable)));
  sender.send(file);
  return promise;
}

const part = encodeURIComponent;

// runPath is that of a run, or of a part of it.
export const runPath = (run, rest = "") => `runs/${part(run)}${rest && "/" + rest}`;

// events is the address of the stream of all events.
export const events = BASE + "events";

// thumbnail is the address of an uploaded picture at a size.
export const thumbnail = (picture, size, format = "jpeg") => `${BASE}pictures/${part(picture.id ?? picture)}/image?size=${size}&format=${format}`;

// STEPS are the sizes that pictures are fetched at, so that few are encoded.
const STEPS = [96, 192, 384, 512, 768, 1024, 1536, 2048, 3072, 4096];

// pixelsFor is the size to fetch for a number of pixels on the screen.
export const pixelsFor = (wanted) => STEPS.find((step) => step >= wanted) ?? STEPS.at(-1);

// preview is the address of a run's picture as it is, or null where there is none yet. The
// version is in it, so that each is fetched once.
export function preview(run, wanted) {
  const version = run.progress?.picture ?? 0;
  if (!version) return null;
  return `${BASE}${runPath(run.id, "picture")}?size=${pixelsFor(Math.min(wanted, Math.max(run.size.width, run.size.height)))}&version=${version}&format=jpeg`;
}

// result is the address to download a run's picture from.
export const result = (run, format, depth) => `${BASE}${runPath(run.id, "picture")}?format=${format}${depth ? "&depth=" + depth : ""}&download=1`;

export const film = (run) => `${BASE}${runPath(run.id, "film")}`;
