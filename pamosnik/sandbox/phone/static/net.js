// The line to the sandbox: looks twice a second while somebody watches, acts, and says when it is cut.

const EVERY_MS = 500;
const WHILE_CUT_MS = 1500;
const SLOW_MS = 2500;
const PATIENCE_MS = 10000;

/** What the sandbox refused, in words for people. */
export class Refused extends Error {}

/** No answer came, or none that can be read. */
export class Cut extends Error {}

async function ask(url, options = {}) {
  const { answer, body } = await fetched(url, options);
  if (answer.status === 304) return { tag: null, body: null };
  if (!answer.ok) throw new Refused(sentence(body));
  return { tag: answer.headers.get("etag"), body };
}

async function fetched(url, options) {
  try {
    const answer = await fetch(url, {
      ...options,
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return { answer, body: answer.status === 304 ? null : await answer.json() };
  } catch (problem) {
    throw new Cut("The sandbox does not answer.", { cause: problem });
  }
}

function sentence({ error, hint }) {
  const text = error ? error[0].toUpperCase() + error.slice(1) : "The sandbox refused";
  return [text.replace(/\.?$/, "."), hint].filter(Boolean).join(" ");
}

/** Asks for JSON once; throws `Refused` with the sandbox's reason. */
export async function get(path) {
  return (await ask(path)).body;
}

export async function post(path, what = {}) {
  const headers = { "content-type": "application/json" };
  return (await ask(path, { method: "POST", headers, body: JSON.stringify(what) })).body;
}

/** Keeps looking at one address. Only the latest question counts; an answer to an older one is dropped. */
export class Watch {
  #question = 0;
  #tag = null;
  #timer = 0;

  constructor(address, { onState, onCut, onBack, onRefused }) {
    Object.assign(this, { address, onState, onCut, onBack, onRefused, cut: false });
    document.addEventListener("visibilitychange", () => this.now());
    addEventListener("online", () => this.now());
  }

  /** Looks at once, `afresh` even if nothing changed since the last look. Resolves when that is drawn. */
  async now(afresh = false) {
    if (afresh) this.#tag = null;
    clearTimeout(this.#timer);
    this.#question += 1;
    if (!document.hidden) await this.#look(this.#question);
  }

  async #look(question) {
    let wait = EVERY_MS;
    const slow = setTimeout(() => question === this.#question && this.#break(), SLOW_MS);
    try {
      const headers = this.#tag === null ? {} : { "if-none-match": this.#tag };
      const { tag, body } = await ask(this.address(), { headers });
      if (question !== this.#question) return;
      if (body !== null) {
        this.#tag = tag;
        this.onState(body);
      }
      if (this.cut) this.#mend();
    } catch (problem) {
      if (question !== this.#question) return;
      if (problem instanceof Refused) this.onRefused(problem);
      else if (problem instanceof Cut) this.#break();
      else throw problem;
      wait = WHILE_CUT_MS;
    } finally {
      clearTimeout(slow);
      if (question === this.#question) this.#timer = setTimeout(() => this.now(), wait);
    }
  }

  #break() {
    this.cut = true;
    this.onCut();
  }

  #mend() {
    this.cut = false;
    this.onBack();
  }
}
