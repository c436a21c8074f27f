// The tabs above the card form: there when the form offers more than cards. Link has no tab of its own.

const NAMES = { kakao_pay: "Kakao Pay", klarna: "Klarna", paypay: "PayPay" };
const row = document.querySelector(".Tabs");
const fields = document.querySelector(".fields");
const leaves = document.querySelector(".leaves");

let chosen = "card";
let tell = () => {};

export const method = () => chosen;
export const isCollapsed = () => fields.hidden && chosen === "card";

/** What is done when the buyer has chosen a tab. */
export function whenChosen(hear) {
  tell = hear;
}

/** Shows one tab for each method that has one; a single one needs none. */
export function offer(types, texts) {
  const tabs = types.filter((type) => type === "card" || type in NAMES).map((type) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.className = "Tab";
    tab.dataset.method = type;
    tab.textContent = NAMES[type] ?? texts[type];
    tab.addEventListener("click", () => {
      choose(type);
      tell();
    });
    return tab;
  });
  row.replaceChildren(...tabs);
  if (isCollapsed()) collapse();
  else choose(types.includes(chosen) ? chosen : "card");
}

/** Hides the fields behind a tab that brings them back. */
export function collapse() {
  choose("card");
  fields.hidden = true;
  row.hidden = false;
}

export function choose(type) {
  chosen = type;
  fields.hidden = type !== "card";
  leaves.hidden = type === "card";
  row.hidden = row.childElementCount < 2;
  for (const tab of row.children) {
    const isChosen = tab.dataset.method === type;
    tab.classList.toggle("Tab--selected", isChosen);
    tab.setAttribute("aria-pressed", String(isChosen));
  }
}
