// How pictures come in: chosen, dropped, pasted, or from those that are there.
import * as api from "./api.js";
import { h, button, dialog } from "./dom.js";
import { change, draft, isMask } from "./draft.js";
import { keepPicture, loadPictures, state } from "./store.js";
import { text } from "./strings.js";
import { toast } from "./toast.js";
import * as format from "./format.js";

// ACCEPT is what a file chooser offers; the server says what it can really read.
const ACCEPT = "image/*,.heic,.heif,.avif,.tif,.tiff,.ppm,.pgm,.pbm";

// uploading are files on their way, for the page to show: {role, name, address, share}.
export const uploading = new Set();

// send uploads a file as the photo or as a painting, and puts it into the draft.
async function send(file, role) {
  const limit = state.info?.limits?.upload_bytes;
  if (limit && file.size > limit) return toast(text.tooLarge(file.name, format.bytes(file.size), format.bytes(limit)), { error: true });
  const entry = { role, name: file.name, address: URL.createObjectURL(file), share: 0 };
  uploading.add(entry);
  change(() => {});
  try {
    const picture = await api.upload(file, file.name || text.pasted, (share) => { entry.share = share; change(() => {}); });
    uploading.delete(entry);
    use(keepPicture(picture), role);
  } catch (problem) {
    toast(text.notTaken(file.name || text.pasted, problem.message), { error: true });
  } finally {
    uploading.delete(entry);
    URL.revokeObjectURL(entry.address);
    change(() => {});
  }
}

// use puts a picture into the draft, as the photo or as a painting.
export function use(picture, role) {
  change((d) => {
    if (role === "photo") {
      if (d.content?.id === picture.id) return;
      // Masks are of the photo that they were painted on.
      d.content = picture;
      d.protect = null;
      for (const style of d.styles) style.mask = null;
    } else if (!d.styles.some((style) => style.picture.id === picture.id)) {
      d.styles.push({ picture, weight: 1, mask: null, style_mask: null });
    }
  });
}

// take takes files: the first as the photo where that is wanted or none is there, others
// as paintings.
export async function take(files, role) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/") || /\.(heic|heif|avif|tiff?|p[pgbn]m)$/i.test(file.name));
  for (const file of files) if (!pictures.includes(file)) toast(text.notAPicture(file.name), { error: true });
  let wanted = role ?? (draft.content || [...uploading].some((entry) => entry.role === "photo") ? "painting" : "photo");
  const all = [];
  for (const file of pictures) {
    all.push(send(file, wanted));
    if (wanted === "photo") wanted = "painting";
  }
  await Promise.all(all);
}

// choose opens the window to choose a picture in.
export function choose(role) {
  const input = h("input", { type: "file", accept: ACCEPT, multiple: role === "painting", hidden: true, "data-input": role, onchange: () => { if (input.files.length) { take(input.files, role); window_.close(); } } });
  const grid = h("ul", { class: "tiles" });
  const window_ = dialog(text.choose[role], { wide: true },
    h("div", { class: "from" }, button(text.fromDisk, { picture: "add", class: "primary", onclick: () => input.click() }), h("p", { class: "hint" }, text.dropHint), input), grid);
  const draw = () => {
    const known = [...state.pictures.values()].filter((picture) => !isMask(picture));
    known.sort((a, b) => Number(a.bundled) - Number(b.bundled) || (b.added ?? "").localeCompare(a.added ?? "") || a.name.localeCompare(b.name));
    // What is there isn't made anew, since it may have the focus.
    const key = known.map((picture) => picture.id).join();
    if (grid.dataset.key === key) return;
    grid.dataset.key = key;
    grid.replaceChildren(...known.map((picture) => h("li", null,
      h("button", { type: "button", class: "tile", "data-name": picture.name, onclick: () => { use(picture, role); window_.close(); } },
        h("img", { src: api.thumbnail(picture, 384), alt: "", loading: "lazy" }),
        h("span", { class: "name" }, picture.name), h("small", null, picture.bundled ? text.bundled : format.size(picture))),
      !picture.bundled && button(text.deletePicture(picture.name), { picture: "trash", bare: true, class: "corner", onclick: async () => {
        try {
          await api.remove(`pictures/${encodeURIComponent(picture.id)}`);
          await loadPictures();
          draw();
        } catch (problem) {
          toast(problem.message, { error: true });
        }
      } }))));
  };
  draw();
  loadPictures().then(draw, () => {});
}

// bundled are the pictures to try things with: the photo and the paintings.
export function bundled() {
  const all = [...state.pictures.values()].filter((picture) => picture.bundled);
  const photo = all.find((picture) => picture.name.startsWith("harbour")) ?? all[0];
  return { photo, paintings: all.filter((picture) => picture !== photo) };
}

// acceptDrops takes files that are dropped anywhere on the page, and pasted ones.
export function acceptDrops() {
  const zone = (role) => h("div", { class: "zone", "data-role": role }, h("b", null, text.dropAs[role]), h("span", null, text.dropAsHint[role]));
  const zones = [zone("photo"), zone("painting")];
  const overlay = h("div", { class: "drop", hidden: true, "aria-hidden": "true" }, zones);
  document.body.append(overlay);
  let inside = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  const end = () => { inside = 0; overlay.hidden = true; };
  addEventListener("dragenter", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    inside++;
    overlay.hidden = false;
  });
  addEventListener("dragleave", () => { if (--inside <= 0) end(); });
  addEventListener("dragover", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    for (const other of zones) other.classList.toggle("over", other === event.target.closest?.(".zone"));
  });
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    const role = event.target.closest?.("[data-role]")?.dataset.role;
    end();
    for (const open of document.querySelectorAll("dialog[open]")) open.close();
    take(event.dataTransfer.files, role);
  });
  addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    take(event.clipboardData.files);
  });
}
