// What was painted, painted once more under other settings or the same.
import * as api from "./api.js";
import { ask, show } from "./store.js";
import { text } from "./strings.js";
import { say, toast } from "./toast.js";

// paintAs paints what a run was made of under some settings, and shows it.
export async function paintAs(run, settings) {
  try {
    const made = await ask(api.post("runs", {
      content: run.content.id, styles: run.styles.map(({ picture, weight, mask, style_mask }) => ({ picture: picture.id, weight, ...(mask && { mask }), ...(style_mask && { style_mask }) })),
      ...(run.protect && { protect: run.protect }), settings,
    }));
    say(text.started(made.name));
    show({ kind: "run", id: made.id });
  } catch (problem) {
    toast(problem.message, { error: true });
  }
}
