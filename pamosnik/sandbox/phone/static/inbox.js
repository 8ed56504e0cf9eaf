// The list of conversations with the requests.

import { face } from "./art.js";
import { ago, byId, h, patch, setText, show } from "./dom.js";

export class Inbox {
  constructor(app) {
    this.app = app;
  }

  render(state) {
    const line = (shop) => this.#line(shop);
    const withNow = state.shops.map((shop) => ({ ...shop, now: state.now }));
    const requests = withNow.filter((shop) => shop.request);
    patch(
      byId("conversations"),
      withNow.filter((shop) => !shop.request),
      (shop) => shop.username,
      line,
    );
    patch(byId("requests"), requests, (shop) => shop.username, line);
    setText(byId("requests-count"), requests.length > 0 ? String(requests.length) : "");
    show(byId("requests-none"), requests.length === 0);
  }

  #line({ username, name, last, unread, now }) {
    const text = last === null ? "Say hello" : `${last.mine ? "You: " : ""}${last.text}`;
    return h(
      "li",
      {},
      h(
        "a",
        { href: this.app.address("chat", username), class: unread > 0 ? "fresh" : null },
        face(h("span", { class: "avatar", "aria-hidden": "true" }), username),
        h("span", { class: "bar-text" }, h("b", {}, name), h("span", { class: "preview" }, text)),
        last !== null && h("time", { datetime: last.at }, ago(last.at, now)),
        unread > 0 && h("span", { class: "dot" }, h("span", { class: "out-of-sight" }, `${unread} unread`)),
      ),
    );
  }
}
