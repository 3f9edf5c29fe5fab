// The TV page: what Roomtone hears and sees now, what to play next, and a word back to it.

import { draw, hueOf } from "./art.js";
import { Cards } from "./cards.js";
import { Locked, ask, follow, token } from "./link.js";
import { describe } from "./now.js";
import * as remote from "./remote.js";
import { Shown } from "./shown.js";

const TOAST_MS = 2600, OFFLINE_AFTER_MS = 1500;
const QUIETEST_DBFS = -60;
const SAID = { like: "More like", skip: "Skipped" };

const $ = (id) => document.getElementById(id);
const user = new URLSearchParams(location.search).get("user") ?? "household";
const shown = new Shown((item) => send(item, "impression"));
const cards = new Cards($("cards"), feedback, shown);
let now = null, senses = null, offline = null;

function render() {
  if (!senses) return;
  const said = describe(now, senses);
  for (const part of ["eyebrow", "title", "by", "detail"]) setText($(`now-${part}`), said[part] ?? "");
  document.body.toggleAttribute("data-quiet", !said.item);
  document.body.toggleAttribute("data-alert", Boolean(said.alert));
  draw($("now-art"), said.item ?? null);
  document.documentElement.style.setProperty("--hue", said.item ? hueOf(said.item) : 200);
  $("screen").hidden = !said.screen;
  document.body.toggleAttribute("data-screen", Boolean(said.screen));
  if (!said.screen) return;
  draw($("screen-art"), said.screen);
  setText($("screen-title"), said.screen.title);
  setText($("screen-detail"), said.screen.detail);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function renderSenses() {
  for (const name of ["audio", "video"]) {
    const { state, description } = senses[name];
    $(name).hidden = state === "off";
    $(name).dataset.state = state;
    const shown = state === "live" ? description : [state, description].filter(Boolean).join(" · ");
    setText($(name).querySelector(".label"), shown);
  }
  $("mute").setAttribute("aria-pressed", senses.muted);
  setText($("mute").querySelector("span"), senses.muted ? "Muted" : "Mute");
  $("mute").querySelector("use").setAttribute("href", senses.muted ? "#icon-muted" : "#icon-mic");
}

function renderLevel({ audio }) {
  const level = audio === null ? 0 : Math.min(1, Math.max(0, 1 - audio / QUIETEST_DBFS));
  document.documentElement.style.setProperty("--level", level.toFixed(2));
  $("audio").querySelectorAll(".meter i").forEach((bar, n) => bar.classList.toggle("on", level * 5.5 > n + 0.5));
}

async function feedback(item, title, event) {
  try {
    await send(item, event);
    toast(`${SAID[event]} ${title}`);
    return true;
  } catch (error) {
    toast(error.message);
    return false;
  }
}

function send(item, event) {
  return ask("/v1/feedback", { id: newId(), user, item, event });
}

/** crypto.randomUUID exists only where the browser trusts the connection; this works everywhere. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function toggleMute() {
  try {
    await ask("/v1/mute", { muted: !senses?.muted });
  } catch (error) {
    toast(error.message);
  }
}

function toast(text) {
  clearTimeout(toast.later);
  setText($("toast"), text);
  $("toast").classList.add("shown");
  toast.later = setTimeout(() => $("toast").classList.remove("shown"), TOAST_MS);
}

function onLink(up) {
  if (up) {
    clearTimeout(offline);
    offline = null;
    setOffline(false);
  } else {
    offline ??= setTimeout(() => setOffline(true), OFFLINE_AFTER_MS);
  }
}

function setOffline(is) {
  $("offline").hidden = !is;
  document.body.toggleAttribute("data-offline", is);
  if (is) renderLevel({ audio: null });
}

async function run() {
  const handlers = {
    status: (data) => { senses = data; renderSenses(); render(); },
    now: (data) => { now = data; render(); },
    level: renderLevel,
    recommendations: (data) => {
      cards.show(data.recommendations);
      $("empty").hidden = data.recommendations.length > 0;
      setText($("next-for"), data.user === "household" ? "" : `for ${data.user}`);
    },
  };
  for (;;) {
    try {
      await follow(`/v1/events?user=${encodeURIComponent(user)}`, handlers, onLink);
    } catch (error) {
      if (!(error instanceof Locked)) throw error;
      token(await askToken());
    }
  }
}

function askToken() {
  $("gate").showModal();
  return new Promise((resolve) => {
    $("gate").addEventListener("close", () => resolve($("token").value), { once: true });
  });
}

token();
addEventListener("hashchange", () => location.reload());
remote.listen();
$("mute").addEventListener("click", toggleMute);
run();
