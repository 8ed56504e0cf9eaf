// One conversation: its messages, the composer, and what the person does to a message.

import { face } from "./art.js";
import { announce, byId, clock, focusText, h, patch, setText, show } from "./dom.js";
import { Entrances } from "./entrances.js";
import { Bubbles, excerpt } from "./message.js";

const EMOJIS = ["❤️", "😂", "😮", "😢", "👍", "🔥"];
const PAUSE_MS = 30 * 60 * 1000;
const NEAR_PX = 80;
const SAMPLES = [
  ["bouquet", "A bouquet"],
  ["broken-vase", "A broken vase"],
  ["receipt", "A receipt"],
];

export class Chat {
  constructor(app) {
    this.app = app;
    this.drafts = new Map();
    this.bubbles = new Bubbles(app, {
      tap: (message, title, card) => this.#tap(message, title, card),
      options: (message) => this.#options(message),
    });
    this.entrances = new Entrances(app, () => this.#tapped());
    this.replyTo = null;
    this.scroll = byId("chat-scroll");
    byId("chat-form").addEventListener("submit", (event) => this.#send(event));
    byId("chat-text").addEventListener("input", (event) => this.drafts.set(this.open, event.target.value));
    byId("picture").addEventListener("click", () => this.#picture());
    byId("jump").addEventListener("click", () => this.#toEnd());
    byId("request-accept").addEventListener("click", () => this.#accept());
    byId("request-block").addEventListener("click", () => app.setPerson({ blocked: true }));
    this.scroll.addEventListener("scroll", () => this.#atEnd() && show(byId("jump"), false));
  }

  // one conversation

  render(state) {
    const shop = state.shops.find((one) => one.username === state.thread.shop);
    const opened = `${state.me.username}/${shop.username}`;
    const fresh = this.open !== opened;
    if (fresh) this.#enter(opened);
    face(byId("chat-avatar"), shop.username);
    setText(byId("chat-title"), shop.name);
    setText(byId("chat-sub"), `@${shop.username}`);
    this.#head(shop);
    const follow = fresh || this.#atEnd();
    const more = this.#messages(state);
    this.#foot(state, shop);
    this.entrances.render(state, shop);
    if (follow) this.#toEnd();
    else if (more && !state.thread.messages.at(-1).mine) show(byId("jump"), true);
    this.#read(state, shop);
  }

  leave() {
    this.open = null;
  }

  #enter(opened) {
    this.open = opened;
    this.#endReply();
    byId("chat-text").value = this.drafts.get(opened) ?? "";
    byId("bubbles").replaceChildren();
    show(byId("jump"), false);
  }

  #head(shop) {
    const followers = shop.followers === 1 ? "1 follower" : `${shop.followers} followers`;
    patch(
      byId("chat-head"),
      [{ ...shop, last: null, unread: 0 }],
      (one) => one.username,
      () =>
        h(
          "div",
          {},
          face(h("span", { class: "avatar large", "aria-hidden": "true" }), shop.username),
          h("p", {}, h("b", {}, shop.name)),
          h(
            "p",
            { class: "hint" },
            `@${shop.username} · ${followers} · ${shop.follows ? "you follow this shop" : "you don’t follow this shop"}`,
          ),
          h(
            "button",
            {
              type: "button",
              id: "follow",
              class: shop.follows ? "" : "primary",
              "aria-pressed": String(shop.follows),
              onclick: () => this.app.setPerson({ follows: !shop.follows }),
            },
            shop.follows ? "Unfollow" : "Follow",
          ),
          shop.blocked ? null : this.entrances.linkButton(),
        ),
    );
  }

  /** Whether there are more of them than before. */
  #messages(state) {
    const before = byId("bubbles").childElementCount;
    const { messages, seen_at: seenAt, typing } = state.thread;
    const items = messages.map((message, place) => ({
      ...message,
      ...around(messages, place),
      loaded: this.bubbles.wanted.has(message.mid),
    }));
    patch(
      byId("bubbles"),
      items,
      (item) => item.mid,
      (item) => this.bubbles.make(item),
    );
    const last = messages.at(-1);
    const seen = last !== undefined && last.mine && seenAt !== null && seenAt >= last.at;
    show(byId("seen"), seen);
    if (seen) setText(byId("seen"), `Seen ${clock(seenAt)}`);
    show(byId("typing"), typing);
    return items.length > before;
  }
  // the foot: quick replies, the composer, or why nothing can be written

  #foot(state, shop) {
    const last = state.thread.messages.at(-1);
    const chips =
      last !== undefined && !last.mine ? last.chips.map((title) => ({ mid: last.mid, title })) : [];
    patch(
      byId("chips"),
      chips,
      (chip) => chip.title,
      (chip) =>
        h(
          "button",
          { type: "button", class: "chip", onclick: () => this.#tap(chip, chip.title) },
          chip.title,
        ),
    );
    show(byId("chips"), chips.length > 0);
    const closed = shop.blocked || shop.request;
    show(byId("composer"), !closed);
    show(byId("request-bar"), closed);
    if (!closed) return;
    const text = shop.blocked
      ? `${state.me.name} has blocked the shop: neither can write to the other.`
      : `${shop.name} wants to send you a message. They won’t know you have seen it until you accept.`;
    setText(byId("request-text"), text);
    show(byId("request-block"), !shop.blocked);
    setText(byId("request-accept"), shop.blocked ? "Unblock" : "Accept");
  }

  async #accept() {
    const shop = this.app.state.shops.find((one) => one.username === this.app.shop);
    if (shop.blocked) await this.app.setPerson({ blocked: false });
    else await this.app.act("/phone/accept", { person: this.app.me, shop: shop.username });
    focusText("chat-text", "chat-scroll");
  }

  /** The shop learns that its messages were seen; a request shows nothing before it is accepted. */
  async #read(state, shop) {
    if (this.reading || shop.unread === 0 || shop.request || shop.blocked || document.hidden) return;
    this.reading = true;
    await this.app.act("/sandbox/read", { person: state.me.username, account: shop.username });
    this.reading = false;
  }

  // what the person does

  async #send(event) {
    event.preventDefault();
    const input = byId("chat-text");
    const text = input.value.trim();
    if (text === "") return;
    const opened = this.open;
    input.value = "";
    this.drafts.delete(opened);
    const reply = this.replyTo;
    this.#endReply();
    const done = await this.#say({ text, ...(reply && { reply_to: reply }) });
    if (!done && this.open === opened) input.value ||= text;
  }

  async #say(what) {
    const done = await this.app.act("/sandbox/dm", { person: this.app.me, account: this.app.shop, ...what });
    if (done) this.#toEnd();
    return done;
  }

  async #tap(shown, title, card) {
    const done = await this.app.act("/phone/tap", {
      person: this.app.me,
      shop: this.app.shop,
      mid: shown.mid,
      title,
      ...(card && { card }),
    });
    if (done) this.#tapped();
  }

  #tapped() {
    this.#toEnd();
    focusText("chat-text", "chat-scroll");
  }

  #picture() {
    const send = async (image) => (await this.#say({ image })) && this.app.closeSheet();
    const samples = SAMPLES.map(([name, label]) => {
      const url = `${location.origin}/phone/samples/${name}.svg`;
      return h(
        "button",
        { type: "button", class: "sample", onclick: () => send(url) },
        h("img", { src: url, alt: "" }),
        label,
      );
    });
    const address = h("input", {
      type: "url",
      required: true,
      placeholder: "https://…",
      pattern: "https://.+",
      title: "An address that begins with https://",
    });
    const form = h(
      "form",
      { class: "stack", onsubmit: (event) => (event.preventDefault(), send(address.value)) },
      h("label", { class: "field" }, h("span", {}, "Or the address of a picture"), address),
      h("button", { type: "submit", class: "primary" }, "Send picture"),
    );
    this.app.sheet("Send a picture", h("div", { class: "samples" }, samples), form);
  }

  #options(item) {
    const person = this.app.me;
    const account = this.app.shop;
    const then = (path, what) => async () =>
      (await this.app.act(path, { person, account, mid: item.mid, ...what })) && this.app.closeSheet();
    const parts = [];
    if (!item.mine) {
      parts.push(
        h(
          "div",
          { class: "emoji-row", role: "group", "aria-label": "React" },
          EMOJIS.map((emoji) =>
            h(
              "button",
              {
                type: "button",
                "aria-pressed": String(item.reaction === emoji),
                onclick: then("/sandbox/react", item.reaction === emoji ? {} : { emoji }),
              },
              emoji,
            ),
          ),
        ),
      );
    }
    parts.push(
      h("button", { type: "button", class: "plain wide", onclick: () => this.#startReply(item) }, "Reply"),
    );
    if (item.mine)
      parts.push(
        h(
          "button",
          { type: "button", class: "plain wide danger", onclick: then("/sandbox/delete_message", {}) },
          "Unsend",
        ),
      );
    this.app.sheet(
      item.mine ? "Your message" : "Message",
      h("p", { class: "hint" }, `${clock(item.at)} · ${excerpt(item)}`),
      ...parts,
    );
  }

  #startReply(item) {
    this.app.closeSheet();
    this.replyTo = item.mid;
    const cancel = h("button", { type: "button", class: "plain", onclick: () => this.#endReply() }, "Cancel");
    byId("chat-replying").replaceChildren(`Replying to “${excerpt(item)}” `, cancel);
    byId("chat-replying").hidden = false;
    byId("chat-text").focus();
  }

  #endReply() {
    this.replyTo = null;
    byId("chat-replying").hidden = true;
  }

  #atEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR_PX;
  }

  #toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    show(byId("jump"), false);
  }
}

/** Reads out the shop's messages since the last look, wherever on the phone the person is. */
export function announceMessages(before, state) {
  if (before.thread.shop !== state.thread.shop) return;
  const known = new Set(before.thread.messages.map((message) => message.mid));
  for (const message of state.thread.messages) {
    if (!message.mine && !known.has(message.mid)) announce(`${state.thread.shop} wrote: ${excerpt(message)}`);
  }
}

/** Whether the message begins or ends a group of one side, and whether a pause comes before it. */
function around(messages, place) {
  const message = messages[place];
  const [before, after] = [messages[place - 1], messages[place + 1]];
  const pause = before === undefined || new Date(message.at) - new Date(before.at) > PAUSE_MS;
  return {
    pause,
    first: pause || before.mine !== message.mine,
    last: after === undefined || after.mine !== message.mine,
  };
}
