// Small manners of the pages that work without script too.

// A sort order takes effect when it is chosen; the button that does it without script steps aside.
for (const select of document.querySelectorAll("select[data-submits]")) {
  const button = select.form.querySelector("button");
  if (button) button.hidden = true;
  select.addEventListener("change", () => select.form.requestSubmit());
}

// A field that the server refused is where the reader has to go.
document.querySelector('[aria-invalid="true"]')?.focus();

// A question lies over the page: whoever walks on past it with the Tab key has left it.
for (const question of document.querySelectorAll(".dialog[popover]")) {
  question.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget && !question.contains(relatedTarget)) question.togglePopover(false);
  });
}
