// Behind the scenes: the three panels and their tabs.

import { Faults } from "./faults.js";
import { byId, h, patch, setText, show } from "./dom.js";
import { Owner } from "./owner.js";
import { contact, entries, failed, problems } from "./why.js";
import { connect, wire } from "./wire.js";

const TABS = ["why", "wrong", "shop"];
const FILL = { connect, wire, failed, problems, contact, entries };

export class Desk {
  constructor(app) {
    this.app = app;
    this.faults = new Faults(app, byId("panel-wrong"));
    for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => this.#open(name));
    byId("tab-why").parentElement.addEventListener("keydown", (event) => this.#arrow(event));
    this.why = h("div", { class: "why" });
    byId("panel-why").append(this.why);
    this.owner = new Owner(app, byId("panel-shop"));
  }

  render(state) {
    setText(
      byId("desk-title"),
      state.behind.observed === null
        ? "What goes over the wire"
        : `What Pamosnik did for ${state.me.name}, and why`,
    );
    patch(
      this.why,
      this.#sections(state),
      (section) => section.key,
      (section) => h("section", {}),
      (element, section) => FILL[section.key](element, section),
    );
    this.owner.render(state);
    this.faults.render(state);
  }

  unavailable(text) {
    setText(byId("desk-title"), "Nothing to show");
    this.why.replaceChildren(h("p", { class: "hint" }, text));
  }

  // tabs

  #open(name) {
    for (const one of TABS) {
      const tab = byId(`tab-${one}`);
      tab.setAttribute("aria-selected", String(one === name));
      tab.tabIndex = one === name ? 0 : -1;
      show(byId(`panel-${one}`), one === name);
    }
    this.faults.shown(name === "wrong");
  }

  #arrow(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const now = TABS.findIndex((name) => byId(`tab-${name}`).getAttribute("aria-selected") === "true");
    const next = TABS[(now + step + TABS.length) % TABS.length];
    this.#open(next);
    byId(`tab-${next}`).focus();
  }

  // what happened

  #sections(state) {
    const { observed, ...wire } = state.behind;
    if (observed === null)
      return [
        { key: "connect", ...wire.connect },
        { key: "wire", open: true, webhooks: wire.webhooks, calls: wire.calls },
      ];
    if (observed.failed) return [{ key: "failed" }, { key: "wire", open: false, ...wire }];
    return [
      { key: "problems", problems: observed.problems ?? [] },
      { key: "contact", contact: observed.contact, hint: observed.hint, name: state.me.name, now: state.now },
      { key: "entries", entries: (observed.entries ?? []).map((entry) => ({ ...entry, now: state.now })) },
      { key: "wire", open: false, webhooks: wire.webhooks, calls: wire.calls },
    ];
  }
}
