// Behind the scenes: the three panels and their tabs.

import { Faults } from "./faults.js";
import { byId, h, patch, setText, show } from "./dom.js";
import { Owner } from "./owner.js";
import { get } from "./net.js";
import { contact, entries, failed, paused, problems, turned } from "./why.js";
import { connect, wire } from "./wire.js";

const TABS = ["why", "wrong", "shop"];
const FILL = { connect, wire, failed, problems, turned, paused, contact, entries };

export class Desk {
  constructor(app) {
    this.app = app;
    this.faults = new Faults(app, byId("panel-wrong"));
    for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => this.#open(name));
    byId("tab-why").parentElement.addEventListener("keydown", (event) => this.#arrow(event));
    this.why = h("div", { class: "why" });
    byId("panel-why").append(this.why);
    this.owner = new Owner(app, byId("panel-shop"));
    // what the sandbox says of its switches; asked for once one is on
    this.told = null;
    // listeners, not data: a section is drawn anew only when its data changed
    this.open = () => this.#open("wrong");
    this.resume = () => app.act("/phone/resume", { person: app.me, shop: app.shop });
    this.others = () => app.people.open();
  }

  render(state) {
    const zone = state.behind.observed?.zone;
    setText(byId("desk-zone"), zone ? `Behind the scenes · times of ${zone}` : "Behind the scenes");
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
    const on = wire.turned;
    const switches = on.length === 0 ? [] : [this.#switches(on)];
    if (observed.failed) return [...switches, { key: "failed" }, { key: "wire", open: false, ...wire }];
    const { name } = state.me;
    return [
      ...switches,
      { key: "problems", problems: observed.problems ?? [] },
      ...this.#pause(state),
      {
        key: "contact",
        contact: observed.contact,
        hint: observed.hint,
        name,
        now: state.now,
        switched: on.length > 0,
      },
      { key: "entries", entries: (observed.entries ?? []).map((entry) => ({ ...entry, now: state.now })) },
      { key: "wire", open: false, webhooks: wire.webhooks, calls: wire.calls },
    ];
  }

  #switches(on) {
    if (this.told === null) {
      this.told = {};
      get("/phone/words").then(
        (words) => {
          this.told = words.switches;
          this.app.redraw();
        },
        () => (this.told = null),
      );
    }
    const told = Object.fromEntries(on.map(({ name }) => [name, this.told?.[name] ?? null]));
    return { key: "turned", turned: on, told, open: this.open };
  }

  /** Nothing while automation does not rest for the person. */
  #pause(state) {
    const known = state.behind.observed.contact;
    const until = known?.paused_until ?? null;
    if (until === null || until <= state.now) return [];
    const resume = state.behind.actions.includes("resume") && this.resume;
    const { name } = state.me;
    return [
      { key: "paused", until, by: known.paused_by, name, now: state.now, resume, others: this.others },
    ];
  }
}
