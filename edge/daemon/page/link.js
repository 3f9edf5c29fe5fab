// The link to the daemon: requests, live events, and the token where the daemon wants one.

const RETRY_FIRST_MS = 500, RETRY_LONGEST_MS = 8000;

export class Locked extends Error {}

/** The token from the address (…#token=SECRET), kept for this tab only. */
export function token(given) {
  const inAddress = new URLSearchParams(location.hash.slice(1)).get("token");
  if (inAddress) history.replaceState(null, "", location.pathname + location.search);
  const found = given ?? inAddress;
  if (found) sessionStorage.setItem("token", found);
  return sessionStorage.getItem("token");
}

/** A request; resolves to the answer's JSON, rejects with the daemon's own sentence. */
export async function ask(path, body) {
  const response = await fetch(path, {
    method: body ? "POST" : "GET",
    headers: { ...credentials(), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? `The daemon answers ${response.status}`);
  return answer;
}

/**
 * Follow the daemon's events for ever: `handlers[event](data)`, and `onLink(true | false)` when it comes and goes.
 * Ends with Locked when the daemon wants another token.
 */
export async function follow(path, handlers, onLink) {
  let wait = RETRY_FIRST_MS;
  for (;;) {
    try {
      const response = await fetch(path, { headers: credentials(), cache: "no-store" });
      if (response.status === 401) throw new Locked();
      if (!response.ok) throw new Error(`The daemon answers ${response.status}`);
      onLink(true);
      wait = RETRY_FIRST_MS;
      await read(response.body, handlers);
    } catch (error) {
      if (error instanceof Locked) throw error;
    }
    onLink(false);
    await new Promise((resolve) => setTimeout(resolve, wait));
    wait = Math.min(2 * wait, RETRY_LONGEST_MS);
  }
}

function credentials() {
  const secret = sessionStorage.getItem("token");
  return secret ? { Authorization: `Bearer ${secret}` } : {};
}

async function read(body, handlers) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (text + value).split("\n\n");
    text = messages.pop();
    messages.forEach((message) => dispatch(message, handlers));
  }
}

function dispatch(message, handlers) {
  const lines = message.split("\n");
  const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const handler = handlers[field("event")];
  if (handler) handler(JSON.parse(field("data")));
}
