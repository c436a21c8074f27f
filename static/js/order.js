// The order page while the money is on its way: shows the new state as soon as there is one.
import { find } from "./dom.js";
import { until } from "./order-status.js";

const { order = "" } = find(document, "[data-order]", HTMLElement).dataset;
const { status } = await until(order, Infinity);
if (status !== "pending") location.reload();
