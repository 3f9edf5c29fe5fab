// What the page says of this moment, in words. No drawing here.

/** `{eyebrow, title, by, detail, item, alert, screen}` for GET /v1/now's document and the senses of the status. */
export function describe(now, senses) {
  if (senses.muted) {
    return { eyebrow: "Muted", title: "Not listening", detail: "Nothing is heard or seen until you unmute." };
  }
  if (now?.recognition?.kind === "shot") return ofShot(now.recognition);
  const sound = now?.recognition ?? now?.similar.audio[0];
  const picture = now?.similar.video[0];
  if (sound) return { ...ofSound(now), screen: picture && ofScreen(picture) };
  if (picture) return ofPicture(now.similar.video);
  return ofSenses(senses);
}

function ofSound({ recognition, similar, context }) {
  if (recognition) {
    const known = similar.audio.find(({ item }) => item === recognition.item);
    const item = { kind: "track", ...known, ...recognition };
    return { eyebrow: "Playing now", title: item.title, by: item.artist, item,
      detail: `Recognised from ${Math.round(context.seconds)} s of sound` };
  }
  const [first, ...others] = similar.audio;
  return { eyebrow: "Music like", title: first.title, by: first.artist, item: first,
    detail: others.length ? `Also near ${others.map(({ title }) => title).join(" and ")}` : "" };
}

function ofShot(shot) {
  return { eyebrow: "Playing now", title: shot.title, by: shot.artist, item: shot, detail: "Recognised from the picture" };
}

function ofScreen({ item, title, artist, album, kind }) {
  return { item, kind, title, artist, album, detail: artist ?? album ?? "" };
}

function ofPicture([first, ...others]) {
  return { eyebrow: "A picture like", title: first.title, by: first.artist, item: first,
    detail: others.length ? `Also near ${others.map(({ title }) => title).join(" and ")}` : "" };
}

function ofSenses({ audio, video }) {
  const lost = [audio, video].find(({ state }) => state === "lost" || state === "stalled");
  if (lost) {
    return { alert: true, eyebrow: lost === audio ? "Sound lost" : "Picture lost",
      title: lost === audio ? "I cannot hear" : "I cannot see",
      detail: `${capital(lost.error ?? "nothing arrives")} Trying again.` };
  }
  const states = [audio.state, video.state].filter((state) => state !== "off");
  if (!states.length) return { eyebrow: "Resting", title: "No microphone, no screen", detail: "Started without senses." };
  if (states.includes("live")) {
    return { eyebrow: audio.state === "live" ? "Listening" : "Watching", title: "Nothing recognised yet",
      detail: "Play some music, or give it a few seconds." };
  }
  if (states.includes("ended")) return { eyebrow: "Finished", title: "The file has ended" };
  return { eyebrow: "Starting", title: "Waking up" };
}

function capital(sentence) {
  const ended = /[.?!]$/.test(sentence) ? sentence : `${sentence}.`;
  return ended.charAt(0).toUpperCase() + ended.slice(1);
}
