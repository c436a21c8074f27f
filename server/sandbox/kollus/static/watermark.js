// A visible watermark: the viewer's id over the picture, now and then, each time at another place.

const EDGE_PERCENT = 12;
const SPAN_PERCENT = 64;

export function showWatermark(element, policy) {
  element.textContent = policy.text;
  element.style.fontSize = `${policy.size}px`;
  element.style.color = `#${policy.color}`;
  element.style.opacity = policy.alpha;

  const appear = () => {
    element.style.left = `${EDGE_PERCENT + Math.random() * SPAN_PERCENT}%`;
    element.style.top = `${EDGE_PERCENT + Math.random() * SPAN_PERCENT}%`;
    element.hidden = false;
    setTimeout(disappear, Math.max(policy.showTime, 1) * 1000);
  };
  const disappear = () => {
    element.hidden = policy.hideTime > 0;
    setTimeout(appear, policy.hideTime * 1000);
  };
  appear();
}
