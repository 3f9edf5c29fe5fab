// A TV remote has four arrows and OK: arrows move the focus to the nearest button that way, OK presses it.

const TOWARDS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SIDEWAYS_COST = 2.5;

export function listen() {
  addEventListener("keydown", (event) => {
    const towards = TOWARDS[event.key];
    if (!towards || event.target.matches("input") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(towards);
  });
}

function move(towards) {
  const buttons = [...document.querySelectorAll("button")].filter((button) => button.offsetParent);
  const here = document.activeElement;
  const next = buttons.includes(here) ? nearest(here, buttons, towards)
    : document.querySelector("#cards button") ?? buttons[0];
  if (!next) return;
  next.focus({ preventScroll: true });
  (next.closest(".card") ?? next).scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function nearest(here, buttons, [right, down]) {
  const from = centre(here);
  let best = null, bestCost = Infinity;
  for (const button of buttons) {
    const to = centre(button);
    const ahead = (to.x - from.x) * right + (to.y - from.y) * down;
    const aside = Math.abs((to.x - from.x) * down) + Math.abs((to.y - from.y) * right);
    const cost = ahead + SIDEWAYS_COST * aside;
    if (button !== here && ahead > 4 && cost < bestCost) [best, bestCost] = [button, cost];
  }
  return best;
}

function centre(element) {
  const box = element.getBoundingClientRect();
  return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}
