// The list of what to play next. A card under somebody's hand is not pulled away.

import { draw } from "./art.js";

const HOLD_MS = 4000;
const LEAVE_MS = 350;

export class Cards {
  /** `act(item, title, event)` sends feedback and resolves once it is kept; `shown` (shown.js) watches the cards. */
  constructor(list, act, shown) {
    this.list = list;
    this.act = act;
    this.shown = shown;
    this.cards = new Map();
    this.liked = new Set();
    this.touchedAt = 0;
    for (const kind of ["keydown", "pointermove"]) list.addEventListener(kind, () => { this.touchedAt = Date.now(); });
  }

  /** Show these recommendations, now or when the list has been left alone for a while. */
  show(recommendations) {
    clearTimeout(this.later);
    const wait = this.touchedAt + HOLD_MS - Date.now();
    if (wait > 0 && this.cards.size) this.later = setTimeout(() => this.show(recommendations), wait);
    else this.arrange(recommendations);
  }

  arrange(recommendations) {
    const focused = document.activeElement?.closest(".card");
    const place = focused ? [...this.list.children].indexOf(focused) : -1;
    const role = document.activeElement?.dataset.event;
    const wanted = recommendations.map((recommendation) => this.card(recommendation));
    for (const [item, card] of this.cards) if (!wanted.includes(card)) this.cards.delete(item);
    if (wanted.some((card, index) => this.list.children[index] !== card) || this.list.children.length > wanted.length) {
      this.list.replaceChildren(...wanted);
    }
    if (!focused) return;
    const next = focused.isConnected ? focused : this.list.children[Math.min(place, wanted.length - 1)];
    next?.querySelector(`[data-event="${role}"]`)?.focus({ preventScroll: true });
  }

  card(recommendation) {
    const { item, title, artist, reasons, kind } = recommendation;
    const card = this.cards.get(item) ?? this.build(recommendation);
    this.cards.set(item, card);
    card.dataset.kind = kind;
    card.querySelector("h3").textContent = title;
    card.querySelector(".by").textContent = artist ?? "";
    card.querySelector(".why").textContent = sentence(reasons);
    card.querySelector(".like").setAttribute("aria-pressed", this.liked.has(item));
    return card;
  }

  build(recommendation) {
    const card = element("li", "card");
    const words = element("div", "words");
    words.append(element("h3"), element("p", "by"), element("p", "why"));
    const choices = element("div", "choices");
    choices.append(this.button(recommendation, "like", `Like ${recommendation.title}`),
      this.button(recommendation, "skip", `Skip ${recommendation.title}`));
    const art = element("div", "art");
    draw(art, recommendation);
    card.append(art, words, choices);
    this.shown.watch(card, recommendation.item);
    return card;
  }

  button({ item, title }, event, label) {
    const button = element("button", `round ${event}`);
    button.type = "button";
    button.dataset.event = event;
    button.setAttribute("aria-label", label);
    button.title = label;
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("class", "icon");
    icon.innerHTML = `<use href="#icon-${event}"/>`;
    button.append(icon);
    button.addEventListener("click", () => this.choose(item, title, event));
    return button;
  }

  async choose(item, title, event) {
    if (event === "like" && this.liked.has(item)) return;
    if (!await this.act(item, title, event)) return;
    this.touchedAt = 0;
    if (event === "like") {
      this.liked.add(item);
      this.cards.get(item)?.querySelector(".like").setAttribute("aria-pressed", true);
    } else {
      this.leave(item);
    }
  }

  /** Let a card go, hand its focus on, and leave its place to whatever comes next. */
  leave(item) {
    const card = this.cards.get(item);
    if (!card) return;
    card.classList.add("leaving");
    setTimeout(() => {
      const near = card.nextElementSibling ?? card.previousElementSibling;
      if (card.contains(document.activeElement)) near?.querySelector(".skip").focus({ preventScroll: true });
      card.remove();
      this.cards.delete(item);
    }, LEAVE_MS);
  }
}

function sentence(reasons) {
  const text = reasons.slice(0, 2).join(" · ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function element(name, className = "") {
  const made = document.createElement(name);
  made.className = className;
  return made;
}
