// Small manners of the pages that work without script too.
import { findAll } from "./dom.js";

// A sort order takes effect when it is chosen; the button that does it without script steps aside.
for (const select of findAll(document, "select[data-submits]", HTMLSelectElement)) {
  const button = select.form?.querySelector("button");
  if (button) button.hidden = true;
  select.addEventListener("change", () => select.form?.requestSubmit());
}

// A field that the server refused is where the reader has to go.
findAll(document, '[aria-invalid="true"]', HTMLElement)[0]?.focus();

// A question lies over the page: whoever walks on past it with the Tab key has left it.
for (const question of findAll(document, ".dialog[popover]", HTMLElement)) {
  question.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !question.contains(relatedTarget)) question.togglePopover(false);
  });
}
