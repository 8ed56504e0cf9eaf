// How one message looks: what it answers, its text, cards, buttons and pictures.

import { icon, picture } from "./art.js";
import { clock, h, linked, moment, outside } from "./dom.js";

const ATTACHMENTS = { image: "A picture", audio: "A voice message", video: "A film", file: "A file" };
/** Part of the address of the heart that people send with one tap. */
const HEART = "asset_id=like_heart";

export class Bubbles {
  /** `tap(message, title, card)` and `options(message)` are what a finger does to a message. */
  constructor(app, { tap, options }) {
    this.app = app;
    this.tap = tap;
    this.options = options;
    // messages whose pictures from elsewhere somebody asked for
    this.wanted = new Set();
  }

  make(item) {
    const who = item.mine ? "You" : this.app.shop;
    const body = h("div", { class: "body" }, this.#body(item));
    const label = `Options for ${item.mine ? "your message" : "the message"} “${excerpt(item)}”`;
    const more = h(
      "button",
      {
        type: "button",
        class: "icon-button more",
        "aria-label": label,
        "aria-haspopup": "dialog",
        onclick: () => this.options(item),
      },
      icon("more"),
    );
    const reactions = [item.reaction, item.shop_reaction].filter(Boolean);
    return h(
      "li",
      {
        class: `message ${item.mine ? "mine" : "theirs"} ${item.first ? "first" : ""} ${item.last ? "last" : ""}`,
      },
      item.pause && h("time", { class: "pause", datetime: item.at }, moment(item.at, this.app.state.now)),
      this.#context(item),
      h(
        "div",
        { class: "line" },
        h("span", { class: "out-of-sight" }, `${who}, ${clock(item.at)}: `),
        body,
        more,
      ),
      reactions.length > 0 &&
        h(
          "p",
          { class: "reactions" },
          h("span", { class: "out-of-sight" }, "Reactions: "),
          reactions.join(" "),
        ),
    );
  }

  /** What the message answers, above it. */
  #context(item) {
    if (item.comment !== null) {
      const text = item.comment.text === null ? "a deleted comment" : `“${item.comment.text}”`;
      return h("p", { class: "context" }, h("span", {}, "Answers your comment"), h("q", {}, text));
    }
    if (item.story !== null) {
      return h(
        "div",
        { class: "context with-art" },
        h("span", {}, item.mine ? "You replied to their story" : "Replied to a story"),
        h("span", { class: "thumb" }, picture(item.story, true)),
      );
    }
    if (item.reply_to !== null) {
      return h(
        "p",
        { class: "context" },
        h("span", {}, item.mine ? "You replied" : "Replied to you"),
        h("q", {}, item.reply_to.text),
      );
    }
    return null;
  }

  #body(item) {
    const parts = item.attachments.map((one) => this.#attachment(item, one));
    if (item.text !== null) parts.push(h("p", { class: "bubble" }, linked(item.text)));
    if (item.cards.length === 1 && isPlain(item.cards[0])) parts.push(this.#template(item, item.cards[0]));
    else if (item.cards.length > 0) {
      parts.push(
        h(
          "ul",
          { class: "cards", tabindex: "0", "aria-label": `${item.cards.length} cards` },
          item.cards.map((card, number) => h("li", { class: "card" }, this.#card(item, card, number + 1))),
        ),
      );
    }
    return parts;
  }

  #template(item, card) {
    return h("div", { class: "bubble template" }, h("p", {}, linked(card.title)), this.#buttons(item, card, 1));
  }

  #card(item, card, number) {
    const title = card.url === null ? card.title : outside(card.url, card.title);
    return [
      card.image !== null && this.#image(item, card.image, `Picture of ${card.title}`),
      h("p", { class: "card-title" }, title),
      card.subtitle !== null && h("p", { class: "hint" }, card.subtitle),
      this.#buttons(item, card, number),
    ];
  }

  #buttons(item, card, number) {
    return card.buttons.map((button) => {
      if (!button.opens)
        return h(
          "button",
          { type: "button", class: "choice", onclick: () => this.tap(item, button.title, number) },
          button.title,
        );
      if (button.url !== null)
        return outside(button.url, [button.title, h("span", { "aria-hidden": "true" }, " ↗")], {
          class: "choice",
          title: button.url,
        });
      return h(
        "span",
        { class: "choice dead", title: "Its address is none that a browser opens." },
        button.title,
      );
    });
  }

  #attachment(item, one) {
    if (one.kind === "story_mention") {
      const who = item.mine ? "You mentioned the shop in your story" : "Mentioned you in their story";
      return h(
        "figure",
        { class: "shared" },
        h("div", { class: "thumb-large" }, picture({ id: `mention-${this.app.me}` }, true)),
        h("figcaption", {}, who),
      );
    }
    if (one.media !== null) {
      return h(
        "figure",
        { class: "shared" },
        h("div", { class: "thumb-large" }, picture(one.media)),
        h("figcaption", {}, one.media.caption ?? `A ${one.media.kind}`),
      );
    }
    if (one.url?.includes(HEART)) return h("p", { class: "huge" }, "❤️");
    if (one.kind === "image") return this.#image(item, one.url, ATTACHMENTS.image);
    return h(
      "p",
      { class: "bubble" },
      one.url === null
        ? "Something that cannot be shown"
        : outside(one.url, ATTACHMENTS[one.kind] ?? "An attachment"),
    );
  }

  /** A picture from elsewhere is fetched only when asked for: until then nothing leaves this machine. */
  #image(item, url, alt) {
    if (url === null) return h("p", { class: "bubble" }, "A picture that cannot be shown");
    const { host, origin } = new URL(url);
    if (origin === location.origin || this.wanted.has(item.mid)) {
      return h("img", { class: "photo", src: url, alt, referrerpolicy: "no-referrer" });
    }
    const load = () => {
      this.wanted.add(item.mid);
      this.app.redraw();
    };
    return h(
      "button",
      { type: "button", class: "photo unloaded", onclick: load },
      icon("picture"),
      h("span", {}, "Show the picture"),
      h("small", {}, `from ${host}`),
    );
  }
}

function isPlain(card) {
  return card.subtitle === null && card.image === null && card.url === null;
}

/** The beginning of what a message says, for labels and announcements. */
export function excerpt(item) {
  const text = item.text ?? item.cards[0]?.title ?? item.attachments.map(inWords)[0] ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function inWords({ kind, url, media }) {
  if (kind === "story_mention") return "a story mention";
  if (media !== null) return `a ${media.kind}`;
  if (url?.includes(HEART)) return "a heart";
  return ATTACHMENTS[kind]?.toLowerCase() ?? "an attachment";
}
