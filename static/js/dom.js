// How our modules find the elements that their page promises.

/**
 * The first match within `root`; throws where it is missing or of another kind, as no page of ours has it.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (found instanceof kind) return found;
  throw new TypeError(`This page has no ${kind.name} at ${selector}`);
}

/**
 * All matches within `root`, of one kind.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T[]}
 */
export function findAll(root, selector, kind) {
  const found = [];
  for (const one of root.querySelectorAll(selector)) if (one instanceof kind) found.push(one);
  return found;
}
