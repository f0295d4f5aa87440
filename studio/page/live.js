// A picture that grows sharper in its place.
import { h } from "./dom.js";

// Live shows one address after another in an element that keeps its size: each once it is
// there, over the one before. Of addresses that come faster than pictures load, only the
// last is fetched.
export class Live {
  constructor(element, alt = "") {
    this.element = element;
    this.alt = alt;
    this.address = null;
    this.loading = false;
    this.cleared = 0;
  }

  show(address, alt = this.alt) {
    this.alt = alt;
    for (const img of this.element.querySelectorAll("img.live")) img.alt = alt;
    if (address === this.address) return;
    this.address = address;
    if (!address) return this.clear();
    if (!this.loading) this.load();
  }

  clear() {
    this.cleared++;
    for (const img of this.element.querySelectorAll("img.live")) img.remove();
    this.element.classList.remove("has-picture");
  }

  async load() {
    this.loading = true;
    const { address, cleared } = this;
    const img = h("img", { class: "live", alt: this.alt, draggable: "false" });
    img.src = address;
    try {
      await img.decode();
      if (cleared === this.cleared) { // or it is of something else by now
        const before = [...this.element.querySelectorAll("img.live")];
        const over = before.at(-1);
        if (over) over.after(img);
        else this.element.prepend(img);
        img.alt = this.alt;
        if (before.length) {
          img.classList.add("arrives");
          await Promise.race([img.getAnimations()[0]?.finished.catch(() => {}), new Promise((wait) => setTimeout(wait, 400))]);
        }
        for (const old of before) old.remove();
        this.element.classList.add("has-picture");
      }
    } catch {
      // It is gone, or the server is: what was there stays.
      if (this.address === address) this.address = null;
    }
    this.loading = false;
    if (this.address && (this.address !== address || this.cleared !== cleared)) this.load();
  }
}
