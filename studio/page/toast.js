// Short messages, and what is said to people who don't see the page.
import { h, button } from "./dom.js";
import { text } from "./strings.js";

// STAYS is how long a message stays, in milliseconds. An error stays until it is closed.
const STAYS = 6000;

const notes = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
const alarms = h("div", { class: "toasts errors", role: "alert" });
const voice = h("p", { class: "unseen", role: "status", "aria-live": "polite" });

const place = h("div", { class: "toast-place" }, notes, alarms);

export function startToasts() {
  document.body.append(place, voice);
  // What is beside a modal window can't be reached, so messages move into it and back.
  document.addEventListener("close", () => document.body.append(place), true);
}

// toast shows a message. With an action it has a button; then is called when it goes
// without that.
export function toast(message, { error, action, act, then } = {}) {
  const close = (acted) => {
    if (!element.isConnected) return;
    clearTimeout(timer);
    element.remove();
    if (acted) act();
    else then?.();
  };
  const element = h("div", { class: `toast${error ? " error" : ""}` }, h("span", null, message),
    action && button(action, { class: "quiet", onclick: () => close(true) }),
    button(text.dismiss, { picture: "close", bare: true, class: "quiet", onclick: () => close(false) }));
  let timer = error ? undefined : setTimeout(() => close(false), STAYS);
  // What is looked at stays.
  element.addEventListener("pointerenter", () => clearTimeout(timer));
  element.addEventListener("focusin", () => clearTimeout(timer));
  for (const leave of ["pointerleave", "focusout"]) {
    element.addEventListener(leave, () => { if (!error) timer = setTimeout(() => close(false), STAYS / 2); });
  }
  const list = error ? alarms : notes;
  const modal = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (place.parentNode !== modal) modal.append(place);
  if (error) takeBack(message);
  list.append(element);
  return () => close(false);
}

// takeBack closes the errors that have a message, once it isn't true any more.
export function takeBack(message) {
  for (const element of [...alarms.children]) if (element.firstChild.textContent === message) element.remove();
}

// say tells those who listen, and shows nothing.
export function say(message) {
  voice.textContent = message;
}
