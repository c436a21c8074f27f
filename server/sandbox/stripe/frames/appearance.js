// The look that the page asks for: a theme, variables over it, rules over those (Stripe's Appearance API).

const THEMES = {
  stripe: {},
  night: {
    colorPrimary: "#85d996", colorBackground: "#30313d", colorText: "#ffffff", colorDanger: "#fe87a1",
    colorTextSecondary: "#c9cbd6", colorTextPlaceholder: "#8f929f", colorBorder: "#424353",
  },
  flat: {
    colorBackground: "#f1f1f1", colorBorder: "transparent", borderRadius: "4px", boxShadow: "none",
  },
};
const SELECTOR = /^\.[A-Z][A-Za-z]*(--[A-Za-z]+)?(::?[a-z-]+)*$/;

const look = new CSSStyleSheet();
document.adoptedStyleSheets = [look];

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function declare(selector, declarations, rename) {
  const { style } = look.cssRules[look.insertRule(`${selector} {}`, look.cssRules.length)];
  for (const [name, value] of Object.entries(declarations)) {
    // A picture from elsewhere would tell its server that the field is being used.
    if (!/url\s*\(/i.test(value)) style.setProperty(rename(name), value);
  }
}

/** A selector of another form is left out with a warning, as the real one does. */
export function applyAppearance({ theme = "stripe", variables = {}, rules = {} } = {}) {
  look.replaceSync("");
  declare(":root", { ...THEMES[theme], ...variables }, (name) => `--${name}`);
  for (const [selector, declarations] of Object.entries(rules)) {
    if (SELECTOR.test(selector)) declare(selector, declarations, kebab);
    else console.warn(`[Stripe.js] ${selector} is not a selector that an appearance can have.`);
  }
}

/** Fonts of the page: `{cssSrc}` or `{family, src, weight, style, display, unicodeRange}`. */
export function loadFonts(fonts = []) {
  for (const { cssSrc, family, src, ...descriptors } of fonts) {
    if (cssSrc) {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = cssSrc;
      document.head.append(link);
    } else {
      document.fonts.add(new FontFace(family, src, { display: "swap", ...descriptors }));
    }
  }
}
