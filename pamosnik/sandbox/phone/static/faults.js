// What can go wrong: the switches of the sandbox, the token, and the faults of single calls.

import { h, field, patch, show, toast } from "./dom.js";
import { Cut, Refused, get, post } from "./net.js";

const AGAIN_MS = 2000;
const ENDPOINTS = [
  "any",
  "messages",
  "private_reply",
  "comment_reply",
  "conversations",
  "media",
  "comments",
  "me",
  "subscribed_apps",
  "profile",
];

/** name → [what it is called, what it does]. Others that the sandbox offers show by their own name. */
const DELIVERIES = {
  duplicates: ["Extra copies of every webhook", "Meta repeats deliveries; nothing may happen twice."],
  shuffle: ["Out of order", "Needs a delay, so that a queue builds up."],
  delay_s: ["Delay in seconds", "How late webhooks arrive."],
  batch: ["Most updates in one webhook", "They travel together when a queue has built up."],
  echo_first: ["Echo before the answer", "The webhook of a send arrives before the send is answered."],
  edit_companions: ["Announce every message twice", "A message_edit with num_edit 0 beside each message."],
};
const ACCOUNT = {
  private_reply_buttons: ["Private replies may carry buttons", "Off: they are refused; tools report both."],
  message_access: [
    "“Allow access to messages”",
    "Off in the owner’s Instagram app: no message arrives, sends are refused.",
  ],
  has_role: ["The account has a role on the app", "Off: every call is refused with code 100."],
  human_agent: ["Human Agent is approved", "Lets a human answer for 7 days."],
};
const HIDDEN = ["retry_gaps_s"];

export class Faults {
  constructor(app, panel) {
    this.app = app;
    this.visible = false;
    this.delivery = h("div", { class: "switches" });
    this.account = h("div", { class: "switches" });
    this.others = h("div", { class: "switches" });
    this.rest = h(
      "details",
      { class: "card-box", hidden: true },
      h("summary", {}, "Every other switch"),
      this.others,
    );
    this.live = this.#toggle(
      "The app is live",
      "Off: Meta delivers nothing and lists come back empty.",
      (live) => this.#set("/sandbox/configure", { live }),
    );
    this.token = h("p", { class: "hint", role: "status" });
    this.single = h("section", { class: "card-box stack", hidden: true });
    panel.append(
      this.single,
      h("section", { class: "card-box stack" }, h("h3", {}, "Webhooks"), this.live.element, this.delivery),
      h("section", { class: "card-box stack" }, h("h3", {}, "The account"), this.account),
      h(
        "section",
        { class: "card-box stack" },
        h("h3", {}, "The token"),
        h("p", { class: "hint" }, "All tokens of the shop stop working at once, and answer with code 190."),
        h(
          "div",
          { class: "row" },
          this.#revoke("The password was changed", 460),
          this.#revoke("The app was removed", 458),
        ),
        h(
          "button",
          { type: "button", class: "plain strong", onclick: () => this.#issue() },
          "Issue a new token",
        ),
        this.token,
      ),
      this.rest,
    );
    this.controls = new Map();
  }

  render(state) {
    if (this.people !== JSON.stringify(state.people.map((one) => one.username))) {
      this.people = JSON.stringify(state.people.map((one) => one.username));
      this.names = state.people.map((one) => one.username);
      this.#peopleChanged();
    }
  }

  shown(visible) {
    this.visible = visible;
    clearTimeout(this.timer);
    if (visible) this.#look();
  }

  async #look() {
    try {
      this.#fill(await get("/sandbox/state"));
      await this.#lookAtFaults();
    } catch (problem) {
      if (!(problem instanceof Refused || problem instanceof Cut)) throw problem;
    }
    clearTimeout(this.timer);
    if (this.visible) this.timer = setTimeout(() => this.#look(), AGAIN_MS);
  }

  #fill(state) {
    const account = state.accounts.find((one) => one.username === this.app.shop) ?? state.accounts[0];
    this.live.set(state.app.live);
    this.#switches(this.delivery, DELIVERIES, state.switches);
    const flags = Object.fromEntries(
      Object.entries(account).filter(([, value]) => typeof value === "boolean"),
    );
    this.#switches(this.account, ACCOUNT, flags);
    show(this.rest, this.others.childElementCount > 0);
  }

  /** One control for every switch that the sandbox has; those without words here stand apart, by their own name. */
  #switches(place, words, values) {
    for (const [name, value] of Object.entries(values)) {
      if (HIDDEN.includes(name) || !["boolean", "number"].includes(typeof value)) continue;
      if (!this.controls.has(name)) {
        const [label, hint] = words[name] ?? [name.replaceAll("_", " "), null];
        const beside = () => (words === ACCOUNT ? { account: this.app.shop } : {});
        const change = (now) => this.#set("/sandbox/switches", { ...beside(), [name]: now });
        const control =
          typeof value === "boolean" ? this.#toggle(label, hint, change) : this.#number(label, hint, change);
        this.controls.set(name, control);
        (name in words ? place : this.others).append(control.element);
      }
      this.controls.get(name).set(value);
    }
  }

  #toggle(label, hint, change) {
    const input = h("input", { type: "checkbox", onchange: () => change(input.checked) });
    const element = h(
      "label",
      { class: "switch" },
      input,
      h("span", {}, label, hint && h("small", {}, hint)),
    );
    return { element, set: (value) => (input.checked = value) };
  }

  #number(label, hint, change) {
    const input = h("input", {
      type: "number",
      min: "0",
      step: "any",
      onchange: () => input.value !== "" && change(Number(input.value)),
    });
    const element = h(
      "label",
      { class: "switch" },
      input,
      h("span", {}, label, hint && h("small", {}, hint)),
    );
    return { element, set: (value) => document.activeElement !== input && (input.value = String(value)) };
  }

  async #set(path, what) {
    await this.app.act(path, what);
    this.#look();
  }

  // the token

  #revoke(label, subcode) {
    const revoke = async () => {
      if (await this.app.act("/sandbox/revoke", { account: this.app.shop, subcode }))
        this.token.textContent = `Revoked: calls answer 190/${subcode}.`;
    };
    return h("button", { type: "button", class: "plain danger", onclick: revoke }, label);
  }

  async #issue() {
    try {
      const { token } = await post("/sandbox/token", { account: this.app.shop });
      this.token.replaceChildren(
        "New token: ",
        h("code", {}, token),
        " Connect again with it: pamosnik connect --token-stdin",
      );
    } catch (problem) {
      if (!(problem instanceof Refused || problem instanceof Cut)) throw problem;
      toast(problem.message);
    }
  }

  // faults of single calls

  async #lookAtFaults() {
    if (this.noFaults) return;
    try {
      const { catalog, active } = await get("/sandbox/faults");
      if (this.catalog === undefined) this.#build(catalog);
      this.#active(active);
    } catch (problem) {
      if (!(problem instanceof Refused)) throw problem;
      // This sandbox has no such switches.
      this.noFaults = true;
    }
  }

  #build(catalog) {
    this.catalog = catalog;
    const sections = [...new Set(catalog.map((one) => one.section))];
    const options = sections.map((section) =>
      h(
        "optgroup",
        { label: section },
        catalog
          .filter((one) => one.section === section)
          .map((one) => h("option", { value: one.name }, one.title)),
      ),
    );
    const fault = h("select", {}, options);
    const endpoint = h(
      "select",
      {},
      ENDPOINTS.map((one) => h("option", { value: one }, one.replaceAll("_", " "))),
    );
    this.person = h("select", {});
    this.#peopleChanged();
    const nth = h("input", { type: "number", min: "1", placeholder: "every" });
    const times = h("input", { type: "number", min: "1", placeholder: "always" });
    const add = async (event) => {
      event.preventDefault();
      const what = { fault: fault.value, endpoint: endpoint.value };
      if (this.person.value) what.person = this.person.value;
      if (nth.value) what.nth = Number(nth.value);
      if (times.value) what.times = Number(times.value);
      await this.#set("/sandbox/faults", what);
    };
    this.list = h("ul", { class: "active-faults", "aria-label": "Faults that are on" });
    this.clear = h(
      "button",
      {
        type: "button",
        class: "plain danger",
        hidden: true,
        onclick: () => this.#set("/sandbox/clear_faults", {}),
      },
      "Switch all off",
    );
    this.single.append(
      h("h3", {}, "Calls that fail"),
      h(
        "form",
        { class: "stack", onsubmit: add },
        field("What happens", fault),
        h("div", { class: "two" }, field("To which call", endpoint), field("For whom", this.person)),
        h("div", { class: "two" }, field("Only the n-th call", nth), field("How often", times)),
        h("button", { type: "submit", class: "primary" }, "Switch on"),
      ),
      this.list,
      this.clear,
    );
    show(this.single, true);
  }

  #active(active) {
    patch(
      this.list,
      active,
      (one) => one.id,
      (one) => {
        const title = this.catalog.find((known) => known.name === one.fault)?.title ?? one.fault;
        const where = [
          one.endpoint?.replaceAll("_", " "),
          one.person && `for ${one.person}`,
          one.nth && `call ${one.nth}`,
          one.left !== null && one.left !== undefined && `${one.left} left`,
        ]
          .filter(Boolean)
          .join(", ");
        return h(
          "li",
          {},
          h("span", {}, h("b", {}, title), " ", h("small", {}, where)),
          h(
            "button",
            {
              type: "button",
              class: "plain",
              "aria-label": `Switch off: ${title}`,
              onclick: () => this.#set("/sandbox/clear_faults", { id: one.id }),
            },
            "Off",
          ),
        );
      },
    );
    show(this.clear, active.length > 1);
  }

  #peopleChanged() {
    if (this.person === undefined || this.names === undefined) return;
    patch(
      this.person,
      ["", ...this.names],
      (name) => name,
      (name) => h("option", { value: name }, name || "anybody"),
    );
  }
}
