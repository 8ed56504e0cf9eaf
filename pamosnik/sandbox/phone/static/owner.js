// The shop's own phone: publishing, broadcasting, writing by hand.

import { field, h, patch, setText, show, toast } from "./dom.js";

export class Owner {
  constructor(app, panel) {
    this.app = app;
    this.live = false;
    this.choice = h("select", { onchange: () => app.chooseShop(this.choice.value) });
    this.which = h("label", { class: "field", hidden: true }, h("span", {}, "Which shop"), this.choice);
    this.label = h("span", {}, "Write by hand");
    this.liveSwitch = h("button", { type: "button", class: "primary", onclick: () => this.#switchLive() });
    panel.append(this.which, this.#publishing(), this.#broadcasting(), this.#writing());
  }

  render(state) {
    this.live = state.live.some((one) => one.shop === this.app.shop);
    setText(this.liveSwitch, this.live ? "End the broadcast" : "Start a broadcast");
    setText(this.label, `Write to ${state.me.name} by hand`);
    show(this.which, state.shops.length > 1);
    const names = state.shops.map((shop) => shop.username);
    patch(
      this.choice,
      names,
      (name) => name,
      (name) => h("option", { value: name }, name),
    );
    if (this.choice.value !== this.app.shop) this.choice.value = this.app.shop;
  }

  #publishing() {
    const caption = h("input", {
      type: "text",
      maxlength: "2200",
      placeholder: "New in: winter wreaths",
      autocomplete: "off",
    });
    const kinds = ["post", "reel", "story"].map((one) => h("option", { value: one }, one));
    const kind = h("select", {}, kinds);
    const publish = async (event) => {
      event.preventDefault();
      const text = caption.value ? { caption: caption.value } : {};
      const what = { account: this.app.shop, kind: kind.value, ...text };
      if (!(await this.app.act("/sandbox/posts", what))) return;
      toast(`The shop’s ${kind.value} is out.`);
      caption.value = "";
    };
    return h(
      "form",
      { class: "card-box stack", onsubmit: publish },
      h("h3", {}, "Publish something"),
      h("div", { class: "two" }, field("What", kind), field("Text", caption)),
      h("button", { type: "submit", class: "primary" }, "Publish"),
    );
  }

  #broadcasting() {
    const hint = "While it runs, people can comment on it; it shows in the ring of stories.";
    return h(
      "div",
      { class: "card-box stack" },
      h("h3", {}, "Live broadcast"),
      h("p", { class: "hint" }, hint),
      this.liveSwitch,
    );
  }

  #switchLive() {
    const account = this.app.shop;
    if (this.live) return this.app.act("/sandbox/end_live", { account });
    return this.app.act("/sandbox/posts", { account, kind: "live" });
  }

  #writing() {
    const text = h("input", { type: "text", required: true, maxlength: "1000", autocomplete: "off" });
    const write = async (event) => {
      event.preventDefault();
      const what = { person: this.app.me, account: this.app.shop, text: text.value };
      if (await this.app.act("/sandbox/owner_message", what)) text.value = "";
    };
    const hint = "A message written by hand tells an automation that a human has taken over.";
    return h(
      "form",
      { class: "card-box stack", onsubmit: write },
      h("h3", {}, "The owner takes the phone"),
      h("label", { class: "field" }, this.label, text),
      h("p", { class: "hint" }, hint),
      h("button", { type: "submit", class: "primary" }, "Send as the owner"),
    );
  }
}
