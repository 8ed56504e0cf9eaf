// Behind the scenes: what the observed program did and why, the traffic on the wire, and the shop's own phone.

import { Faults } from "./faults.js";
import { byId, clock, field, h, moment, patch, setText, show, toast } from "./dom.js";

const TABS = ["why", "wrong", "shop"];
const KINDS = {
  comment_reply: "public reply",
  private_reply: "private reply",
  comment_action: "comment action",
  sender_action: "typing or seen",
};
const TONES = {
  good: ["started", "resumed", "sent", "completed", "active", "waiting"],
  bad: ["error", "failed", "expired"],
  warn: ["no_match", "filtered", "paused", "handed_over", "opted_out", "unknown", "held", "stopped", "cancelled", "unsupported"],
  busy: ["queued", "sending", "pending"],
};

export class Desk {
  constructor(app) {
    this.app = app;
    this.faults = new Faults(app, byId("panel-wrong"));
    for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => this.#open(name));
    byId("tab-why").parentElement.addEventListener("keydown", (event) => this.#arrow(event));
    this.why = h("div", { class: "why" });
    byId("panel-why").append(this.why);
    this.#shop();
  }

  render(state) {
    setText(byId("desk-title"), state.behind.observed === null ? "What goes over the wire" : `What Pamosnik did for ${state.me.name}, and why`);
    patch(this.why, this.#sections(state), (section) => section.key, (section) => h("section", {}), (el, section) => this.#fill(el, section, state));
    setText(byId("owner-label"), `Write to ${state.me.name} by hand`);
    const live = state.live.some((one) => one.shop === this.app.shop);
    setText(byId("live-switch"), live ? "End the broadcast" : "Start a broadcast");
    byId("live-switch").dataset.live = live ? "yes" : "";
    this.#shops(state);
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
    if (observed === null) return [{ key: "connect", ...wire.connect }, { key: "wire", open: true, webhooks: wire.webhooks, calls: wire.calls }];
    if (observed.failed) return [{ key: "failed" }, { key: "wire", open: false, ...wire }];
    return [
      { key: "problems", problems: observed.problems ?? [] },
      { key: "contact", contact: observed.contact, hint: observed.hint, name: state.me.name, now: state.now },
      { key: "entries", entries: (observed.entries ?? []).map((entry) => ({ ...entry, now: state.now })) },
      { key: "wire", open: false, webhooks: wire.webhooks, calls: wire.calls },
    ];
  }

  #fill(element, section) {
    const fill = { connect: connect, wire: wire, failed: failed, problems: problems, contact: contact, entries: entries }[section.key];
    fill(element, section);
  }

  // the shop's own phone

  #shop() {
    const app = this.app;
    const caption = h("input", { type: "text", maxlength: "2200", placeholder: "New in: winter wreaths", autocomplete: "off" });
    const kind = h("select", {}, ["post", "reel", "story"].map((one) => h("option", { value: one }, one)));
    const owner = h("input", { id: "owner-text", type: "text", required: true, maxlength: "1000", autocomplete: "off" });
    const publish = async (event) => {
      event.preventDefault();
      const what = { account: app.shop, kind: kind.value, ...(caption.value && { caption: caption.value }) };
      if (await app.act("/sandbox/posts", what)) {
        toast(`The shop’s ${kind.value} is out.`);
        caption.value = "";
      }
    };
    const write = async (event) => {
      event.preventDefault();
      if (await app.act("/sandbox/owner_message", { person: app.me, account: app.shop, text: owner.value })) owner.value = "";
    };
    const live = () => {
      if (byId("live-switch").dataset.live) return app.act("/sandbox/end_live", { account: app.shop });
      return app.act("/sandbox/posts", { account: app.shop, kind: "live" });
    };
    const shop = h("select", { id: "shop-choice", onchange: () => app.chooseShop(shop.value) });
    byId("panel-shop").append(
      h("label", { class: "field", id: "shop-choice-part", hidden: true }, h("span", {}, "Which shop"), shop),
      h("form", { class: "card-box stack", onsubmit: publish }, h("h3", {}, "Publish something"), h("div", { class: "two" }, field("What", kind), field("Text", caption)), h("button", { type: "submit", class: "primary" }, "Publish")),
      h("div", { class: "card-box stack" }, h("h3", {}, "Live broadcast"), h("p", { class: "hint" }, "While it runs, people can comment on it; it shows in the ring of stories."), h("button", { type: "button", class: "primary", id: "live-switch", onclick: live }, "Start a broadcast")),
      h(
        "form",
        { class: "card-box stack", onsubmit: write },
        h("h3", {}, "The owner takes the phone"),
        h("label", { class: "field" }, h("span", { id: "owner-label" }, "Write by hand"), owner),
        h("p", { class: "hint" }, "A message written by hand tells an automation that a human has taken over."),
        h("button", { type: "submit", class: "primary" }, "Send as the owner"),
      ),
    );
  }

  #shops(state) {
    show(byId("shop-choice-part"), state.shops.length > 1);
    const names = state.shops.map((shop) => shop.username);
    patch(byId("shop-choice"), names, (name) => name, (name) => h("option", { value: name }, name));
    if (byId("shop-choice").value !== this.app.shop) byId("shop-choice").value = this.app.shop;
  }
}

function problems(element, section) {
  element.replaceChildren(...section.problems.map((one) => h("p", { class: "notice bad" }, h("b", {}, one.message), " ", one.fix)));
}

function failed(element) {
  element.replaceChildren(h("p", { class: "notice bad" }, "What Pamosnik did cannot be read just now. The phone goes on working."));
}

function contact(element, { contact: known, hint, name, now }) {
  if (known === null) {
    const first = hint ?? "Comment under a post or write a message: what it makes of that appears here.";
    element.replaceChildren(h("p", { class: "notice" }, h("b", {}, `Pamosnik has not met ${name} yet.`), " ", first));
    return;
  }
  const open = known.window_open_until !== null && known.window_open_until > now;
  const facts = [
    ["Window", open ? `open until ${moment(known.window_open_until, now)}` : "closed until they write or tap"],
    ["Tags", known.tags.length > 0 ? known.tags.map((tag) => h("span", { class: "tag" }, tag)) : "none"],
    ...Object.entries(known.fields),
    known.opted_out && ["Opted out", "yes, until they write START"],
    known.unreachable && ["Unreachable", "until they write again"],
    known.paused_until !== null && known.paused_until > now && ["Paused", `until ${moment(known.paused_until, now)}: a human has this conversation`],
  ].filter(Boolean);
  element.replaceChildren(
    h("div", { class: "card-box" }, h("h3", {}, "What it knows"), h("dl", { class: "facts" }, facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]))),
  );
}

function entries(element, section) {
  if (element.childElementCount === 0) element.append(h("h3", { class: "out-of-sight" }, "What happened, newest first"), h("ol", { class: "entries" }));
  patch(element.querySelector("ol"), section.entries, (entry) => entry.id, (entry) => h("li", { class: "card-box" }), fillEntry);
}

function fillEntry(item, entry) {
  const parts = [];
  if (entry.flow !== null) {
    const place = entry.step === null ? "" : `at ${stepName(entry.step)}`;
    const due = entry.due_at === null ? "" : `, until ${moment(entry.due_at, entry.now)}`;
    parts.push(
      h("header", { class: "entry-head" }, h("div", {}, h("h4", {}, entry.title ?? entry.flow), h("p", { class: "hint" }, `flow ${entry.flow} ${place}${due}`)), chip(entry.status)),
    );
  }
  parts.push(h("ul", { class: "happened" }, entry.events.map((event) => happened(event))));
  if (entry.sent.length > 0) {
    parts.push(h("h5", {}, "Went out"), h("ul", { class: "sent" }, entry.sent.map((one) => sent(one))));
  }
  item.replaceChildren(...parts.flat());
}

function happened(event) {
  const what = event.kind.replaceAll("_", " ");
  return h(
    "li",
    {},
    h("p", { class: "event-line" }, h("span", { class: "event-kind" }, what), event.text && h("q", {}, event.text), chip(event.verdict)),
    event.reason && h("p", { class: "reason" }, event.reason),
    event.advice && h("p", { class: "advice" }, event.advice),
    event.steps.length > 0 && h("ul", { class: "steps", "aria-label": "Steps" }, event.steps.map(([step, word, detail]) => h("li", {}, h("b", {}, stepName(step)), ` ${word}`, detail && `: ${detail}`))),
  );
}

function sent(one) {
  const tries = one.attempts > 1 ? ` after ${one.attempts} attempts` : "";
  return h("li", {}, h("span", {}, KINDS[one.kind] ?? one.kind, tries), chip(one.status), one.reason && h("p", { class: "reason" }, one.reason));
}

/** do.1.buttons.0.do.2 → step 2 › button 1 › step 3 */
function stepName(path) {
  const words = { do: "step", buttons: "button", choices: "choice", chips: "chip", choose: "branch", cards: "card", else: "step", quick_replies: "choice" };
  const parts = [];
  let word = null;
  for (const part of path.split(".")) {
    if (/^\d+$/.test(part)) parts.push(`${word ?? "step"} ${Number(part) + 1}`);
    word = words[part] ?? part.replaceAll("_", " ");
  }
  return parts.join(" › ") || path;
}

export function chip(word) {
  const tone = Object.keys(TONES).find((name) => TONES[name].includes(word)) ?? "quiet";
  return h("span", { class: `verdict ${tone}` }, word.replaceAll("_", " "));
}

function connect(element, { token, app_secret: secret, callback_url: callback, live, subscribed }) {
  const how = callback === null ? "No program listens yet: configure a callback address first." : `Webhooks go to ${callback}.`;
  const lines = [
    ["Base address", location.origin, "PAMOSNIK_META_URL"],
    ["App secret", secret, "PAMOSNIK_INSTAGRAM_APP_SECRET"],
    ["Token", token ?? "none works: issue one under “What can go wrong”", "pamosnik connect --token-stdin"],
  ];
  element.replaceChildren(
    h(
      "details",
      { class: "card-box", open: callback === null },
      h("summary", {}, "Connect a program"),
      h("p", { class: "hint" }, how, live ? "" : " The app is not live: nothing is delivered.", subscribed ? "" : " No account has subscribed its webhooks."),
      h("dl", { class: "facts" }, lines.flatMap(([label, value, where]) => [h("dt", {}, label), h("dd", {}, h("code", {}, value), h("small", {}, where))])),
      h("p", { class: "hint" }, "Then POST /sandbox/configure with callback_url, verify_token, fields and live: true. Start ", h("code", {}, "pamosnik demo"), " to see both together."),
    ),
  );
}

function wire(element, { open, webhooks, calls }) {
  if (element.childElementCount === 0) {
    const list = (name) => h("ol", { class: "wire", "aria-label": name });
    element.append(
      h("details", { class: "card-box", open }, h("summary", {}, "On the wire"), h("h4", {}, "Webhooks delivered"), list("Webhooks delivered"), h("h4", {}, "Graph calls received"), list("Graph calls received")),
    );
  }
  const [first, second] = element.querySelectorAll("ol");
  patch(first, numbered(webhooks), (one) => one.key, (one) => {
    const tries = one.tries > 1 ? `, try ${one.tries}` : "";
    return h("li", {}, h("time", {}, clock(one.at)), h("span", {}, one.kinds.join(", ")), status(one.status === 200, one.status === null ? `no answer${tries}` : `${one.status}${tries}`));
  });
  patch(second, numbered(calls), (one) => one.key, (one) =>
    h("li", {}, h("time", {}, clock(one.at)), h("code", {}, `${one.method} ${one.path}`), status(one.status < 400, String(one.status))),
  );
  for (const list of [first, second]) list.classList.toggle("none", list.childElementCount === 0);
}

/** Rows have no id: their instant and place among equals make one. */
function numbered(rows) {
  const seen = new Map();
  return [...rows].reverse().map((row) => {
    const name = JSON.stringify(row);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { ...row, key: `${name}${seen.get(name)}` };
  }).reverse();
}

function status(good, text) {
  return h("span", { class: `verdict ${good ? "good" : "bad"}` }, text);
}
