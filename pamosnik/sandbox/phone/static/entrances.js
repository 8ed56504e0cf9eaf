// Ways into a conversation beside writing: opening questions, the menu, an ig.me link.

import { icon } from "./art.js";
import { byId, field, h, outside, patch, show, toast } from "./dom.js";

export class Entrances {
  /** `tapped()`: the person tapped something, which is a message. */
  constructor(app, tapped) {
    this.app = app;
    this.tapped = tapped;
    this.items = [];
    byId("menu").append(icon("menu"));
    byId("menu").addEventListener("click", () => this.#openMenu());
  }

  render(state, shop) {
    const questions = shop.blocked ? [] : state.thread.questions;
    patch(
      byId("questions"),
      questions.map((question) => ({ shop: shop.username, question })),
      (item) => `${item.shop}/${item.question}`,
      ({ question }) =>
        h(
          "button",
          { type: "button", class: "question", onclick: () => this.#act("tap_ice_breaker", { question }) },
          question,
        ),
    );
    show(byId("questions"), questions.length > 0);
    this.items = state.thread.menu;
    show(byId("menu"), this.items.length > 0);
  }

  /** A button that opens the sheet of the shop's link. */
  linkButton() {
    return h(
      "button",
      { type: "button", class: "plain", "aria-haspopup": "dialog", onclick: () => this.#openLink() },
      "Arrive by a link",
    );
  }

  #openMenu() {
    const items = this.items.map(({ title, opens, url }) => {
      if (!opens) {
        const tap = async () => (await this.#act("tap_menu", { title })) && this.app.closeSheet();
        return h("button", { type: "button", class: "plain wide", onclick: tap }, title);
      }
      const arrow = h("span", { "aria-hidden": "true" }, " ↗");
      if (url !== null) return outside(url, [title, arrow], { class: "plain wide", title: url });
      return h("span", { class: "plain wide", title: "Its address is none that a browser opens." }, title);
    });
    this.app.sheet("Menu", ...items);
  }

  #openLink() {
    const ref = h("input", {
      type: "text",
      maxlength: "250",
      pattern: "[A-Za-z0-9_=\\-]*",
      title: "Letters from a to z, digits, _, = and -",
      placeholder: "flyer7",
      autocomplete: "off",
    });
    const follow = async (event) => {
      event.preventDefault();
      const known = this.app.state.thread.messages.length > 0;
      const what = { person: this.app.me, account: this.app.shop, ...(ref.value && { ref: ref.value }) };
      if (!(await this.app.act("/sandbox/open_link", what))) return;
      this.app.closeSheet();
      if (!known) toast("The shop hears of it with the first thing you write or tap.");
    };
    const form = h(
      "form",
      { class: "stack", onsubmit: follow },
      h("p", { class: "hint" }, `A link or QR code on a flyer, a website, a parcel: ig.me/m/${this.app.shop}?ref=…`),
      field("What stands behind ref=", ref, "May be left empty."),
      h("button", { type: "submit", class: "primary" }, "Open the link"),
    );
    this.app.sheet("Arrive by a link", form);
  }

  async #act(path, what) {
    const whom = { person: this.app.me, account: this.app.shop };
    const done = await this.app.act(`/sandbox/${path}`, { ...whom, ...what });
    if (done) this.tapped();
    return done;
  }
}
