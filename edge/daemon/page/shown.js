// Tells what somebody could really see: an impression of a card that stayed in sight, not of all that was sent.

const LEAST_SHARE = 0.6;
const LOOK_MS = 3000;
const AGAIN_MS = 30 * 60 * 1000;

export class Shown {
  /** `tell(item)` sends the impression; it rejects when it is not kept, and is then tried when the card comes again. */
  constructor(tell) {
    this.tell = tell;
    this.toldAt = new Map();
    this.waiting = new Map();
    this.observer = new IntersectionObserver((entries) => entries.forEach((entry) => this.moved(entry)),
      { threshold: LEAST_SHARE });
    document.addEventListener("visibilitychange", () => this.visible(!document.hidden));
  }

  /** From now on tell when the card `element` of `item` is looked at. */
  watch(element, item) {
    element.dataset.item = item;
    this.observer.observe(element);
  }

  moved({ target, isIntersecting }) {
    clearTimeout(this.waiting.get(target));
    this.waiting.delete(target);
    if (isIntersecting) this.wait(target);
    else if (!target.isConnected) this.observer.unobserve(target);
  }

  /** A screen that is off or shows another tab shows nothing. */
  visible(is) {
    for (const [element, timer] of this.waiting) {
      clearTimeout(timer);
      if (is) this.wait(element);
    }
  }

  wait(element) {
    const later = document.hidden ? null : setTimeout(() => this.looked(element.dataset.item), LOOK_MS);
    this.waiting.set(element, later);
  }

  async looked(item) {
    const before = this.toldAt.get(item) ?? -Infinity;
    if (performance.now() - before < AGAIN_MS) return;
    this.toldAt.set(item, performance.now());
    try {
      await this.tell(item);
    } catch {
      this.toldAt.delete(item);
    }
  }
}
