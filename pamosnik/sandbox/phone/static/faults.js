// What can go wrong: the switches of the sandbox, the token, and the faults of single calls.

import { field, h, patch, setText, show, toast } from "./dom.js";
import { Cut, Refused, get, post } from "./net.js";
import { ACCOUNT, DELIVERIES, called } from "./switches.js";

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
    this.issue = h(
      "button",
      { type: "button", class: "plain strong", onclick: () => this.#issue() },
      "Issue a new token",
    );
    this.again = false;
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
        this.issue,
        this.token,
      ),
      this.rest,
    );
    this.controls = new Map();
  }

  render(state) {
    this.again = state.behind.actions.includes("connect_again");
    setText(this.issue, this.again ? "Connect again with a new token" : "Issue a new token");
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
      this.words ??= await get("/phone/words");
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
      Object.entries(account).filter(([, value]) => ["boolean", "number"].includes(typeof value)),
    );
    this.#switches(this.account, ACCOUNT, flags);
    show(this.rest, this.others.childElementCount > 0);
  }

  /** One control for every switch that the sandbox has; those without words here stand apart. */
  #switches(place, words, values) {
    for (const [name, value] of Object.entries(values)) {
      const told = this.words.switches[name];
      const choices = told?.choices ?? [];
      if (HIDDEN.includes(name) || (typeof value === "string" && choices.length === 0)) continue;
      if (!this.controls.has(name)) {
        const [label, hint] = words[name] ?? [
          called(name, this.words.switches),
          [name, told?.section].filter(Boolean).join(" · "),
        ];
        const beside = () => (words === ACCOUNT ? { account: this.app.shop } : {});
        const change = (now) => this.#set("/sandbox/switches", { ...beside(), [name]: now });
        const control = {
          boolean: () => this.#toggle(label, hint, change),
          number: () => this.#number(label, hint, change),
          string: () => this.#choice(label, hint, choices, change),
        }[typeof value]();
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

  #choice(label, hint, choices, change) {
    const select = h(
      "select",
      { onchange: () => change(select.value) },
      choices.map((one) => h("option", { value: one }, one)),
    );
    const element = h("label", { class: "switch" }, h("span", {}, label, h("small", {}, hint)), select);
    return { element, set: (value) => document.activeElement !== select && (select.value = value) };
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
      if (this.again) {
        await post("/phone/connect_again", { person: this.app.me, shop: this.app.shop });
        this.token.textContent = "Pamosnik is connected again, with a new token.";
        return;
      }
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
    const known = catalog.map((one) => ({ ...one, ...this.words.faults[one.name] }));
    const groups = [...new Set(known.map((one) => one.group))];
    const options = groups.map((group) =>
      h(
        "optgroup",
        { label: group },
        known
          .filter((one) => one.group === group)
          .map((one) => h("option", { value: one.name }, [one.title, code(one)].filter(Boolean).join(" · "))),
      ),
    );
    const small = h("small", { class: "hint" });
    const describe = () => {
      const { name, section } = known.find((one) => one.name === fault.value);
      setText(small, `${name}, ${section} of the reference`);
    };
    const fault = h("select", { onchange: describe }, options);
    describe();
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
        small,
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

/** 10/2534022 */
function code({ code: first, subcode }) {
  return [first, subcode].filter((one) => one !== null && one !== undefined).join("/");
}
