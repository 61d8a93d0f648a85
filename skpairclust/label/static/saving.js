// Each answer is saved once: its name is made here, and it is sent until the server has
// said that it is on the disk, after a reload as well.

const STORED = "skpairclust-unsaved";
const WAITS = [300, 700, 1500, 3000, 5000];
const PATIENCE = 15000;

export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

function storage() {
  // a frame of a notebook may have none
  try { return window.sessionStorage; } catch { return null; }
}

export function remember(name, make) {
  const kept = storage()?.getItem(name);
  if (kept) return kept;
  const value = make();
  storage()?.setItem(name, value);
  return value;
}

export function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export async function request(path, sent) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  const options = { signal: stop.signal, cache: "no-store" };
  if (sent !== undefined) {
    options.method = "POST";
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(sent);
  }
  try {
    const reply = await fetch(path, options);
    const body = await reply.json();
    if (!reply.ok) throw new Refused(body.error ?? reply.statusText, reply.status);
    return body;
  } finally {
    clearTimeout(timer);
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Send until there is a reply. `onWait` hears what is wrong meanwhile.
export async function save(path, sent, onWait) {
  storage()?.setItem(STORED, JSON.stringify({ path, sent }));
  for (let attempt = 0; ; attempt++) {
    try {
      const reply = await request(path, sent);
      storage()?.removeItem(STORED);
      return reply;
    } catch (error) {
      if (error instanceof Refused) {
        // the server has said that nothing was saved, or that another answer counts
        storage()?.removeItem(STORED);
        throw error;
      }
      onWait("Not saved yet: the program does not reply. Start the same command again "
        + "if it has stopped. This page goes on trying, keep it open.");
      await pause(WAITS[Math.min(attempt, WAITS.length - 1)]);
    }
  }
}

export function unsaved() {
  const kept = storage()?.getItem(STORED);
  return kept ? JSON.parse(kept) : null;
}
