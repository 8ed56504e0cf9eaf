// Who is playing: the sheet that lists the people, adds one, and says how they stand to the shop.

import { face } from "./art.js";
import { field, h } from "./dom.js";

export class People {
  constructor(app) {
    this.app = app;
  }

  open() {
    const { state } = this.app;
    const choose = (username) => {
      this.app.closeSheet();
      this.app.go("feed", null, username);
    };
    const list = h(
      "ul",
      { class: "people", "aria-label": "People" },
      state.people.map((one) =>
        h(
          "li",
          {},
          h(
            "button",
            {
              type: "button",
              "aria-current": one.username === state.me.username ? "true" : null,
              onclick: () => choose(one.username),
            },
            face(h("span", { class: "avatar small", "aria-hidden": "true" }), one.username),
            h(
              "span",
              { class: "bar-text" },
              h("b", {}, one.name),
              h("span", { class: "preview" }, `@${one.username}`),
            ),
            one.unread > 0 &&
              h("span", { class: "dot" }, h("span", { class: "out-of-sight" }, `${one.unread} unread`)),
          ),
        ),
      ),
    );
    this.app.sheet("Who are you?", list, this.#relation(state), this.#newPerson(choose));
  }

  /** How the person stands to the shop they look at. */
  #relation(state) {
    const shop = state.shops.find((one) => one.username === this.app.shop);
    const box = (label, on, change) => {
      const input = h("input", {
        type: "checkbox",
        checked: on,
        onchange: () => this.app.setPerson(change(input.checked)),
      });
      return h("label", { class: "switch" }, input, h("span", {}, label));
    };
    return h(
      "fieldset",
      {},
      h("legend", {}, `${state.me.name} and ${shop.name}`),
      box("Follows the shop", state.me.follows, (follows) => ({ follows })),
      box("Has blocked the shop", state.me.blocked, (blocked) => ({ blocked })),
      box("Is verified", state.me.verified, (verified) => ({ verified })),
      box("Has a private profile", state.me.private, (value) => ({ private: value })),
    );
  }

  #newPerson(choose) {
    const username = h("input", {
      type: "text",
      required: true,
      maxlength: "30",
      pattern: "[A-Za-z0-9._]+",
      title: "Letters, digits, dots and underscores",
      autocomplete: "off",
      placeholder: "dora.k",
    });
    const name = h("input", { type: "text", maxlength: "60", autocomplete: "off", placeholder: "Dora" });
    const add = async (event) => {
      event.preventDefault();
      const what = {
        username: username.value,
        account: this.app.shop,
        ...(name.value && { name: name.value }),
      };
      if (await this.app.act("/sandbox/people", what)) choose(username.value);
    };
    return h(
      "form",
      { class: "stack bordered", onsubmit: add },
      h("h3", { class: "small-heading" }, "Somebody new"),
      h("div", { class: "two" }, field("Username", username), field("Name", name)),
      h("button", { type: "submit", class: "primary" }, "Add and play"),
    );
  }
}
