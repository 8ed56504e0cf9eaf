// What the observed program did about one person, and why.

import { h, moment, patch } from "./dom.js";
import { setting } from "./switches.js";

const KINDS = {
  comment_reply: "public reply",
  private_reply: "private reply",
  comment_action: "comment action",
  sender_action: "reaction or typing",
  hide: "hides the comment",
  delete: "deletes the comment",
  react: "reaction",
  typing_on: "typing",
};
const TONES = {
  good: ["started", "resumed", "sent", "completed", "active", "waiting"],
  bad: ["error", "failed", "expired"],
  warn: [
    "no_match",
    "filtered",
    "paused",
    "handed_over",
    "opted_out",
    "unknown",
    "held",
    "stopped",
    "cancelled",
    "unsupported",
  ],
  busy: ["queued", "sending", "pending"],
};

export function problems(element, section) {
  element.replaceChildren(
    ...section.problems.map((one) => h("p", { class: "notice bad" }, h("b", {}, one.message), " ", one.fix)),
  );
}

export function turned(element, { turned: on, told, open }) {
  const link = h("button", { type: "button", class: "plain strong", onclick: open }, "What can go wrong");
  element.replaceChildren(
    h(
      "div",
      { class: "notice warn" },
      h("b", {}, "Some switches are on: "),
      `${on.map((one) => setting(one, told)).join("; ")}. `,
      link,
    ),
  );
}

/** Automation rests for the person: until when, why, and what to do. */
export function paused(element, { until, by, name, now, resume, others }) {
  const why =
    by === "owner"
      ? "the owner wrote to them by hand"
      : "the conversation was handed over to a human, by a flow or on request";
  element.replaceChildren(
    h(
      "div",
      { class: "notice warn stack" },
      h(
        "p",
        {},
        h("b", {}, `Automation is paused for ${name} until ${moment(until, now)}: `),
        `${why}. Till then Pamosnik answers nothing that ${name} does.`,
      ),
      h(
        "div",
        { class: "row" },
        resume && h("button", { type: "button", class: "primary", onclick: resume }, "Automation again"),
        h("button", { type: "button", class: "plain strong", onclick: others }, "Be another person"),
      ),
    ),
  );
}

export function failed(element) {
  element.replaceChildren(
    h("p", { class: "notice bad" }, "What Pamosnik did cannot be read just now. The phone goes on working."),
  );
}

export function contact(element, { contact: known, hint, name, now, switched }) {
  if (known === null && switched) {
    element.replaceChildren(
      h(
        "p",
        { class: "notice" },
        h("b", {}, `Pamosnik has heard nothing of ${name}. `),
        "Perhaps nothing was sent, perhaps the switches above keep it away.",
      ),
    );
    return;
  }
  if (known === null) {
    const first = hint ?? "Comment under a post or write a message: what it makes of that appears here.";
    element.replaceChildren(
      h("p", { class: "notice" }, h("b", {}, `Pamosnik has not met ${name} yet.`), " ", first),
    );
    return;
  }
  const open = known.window_open_until !== null && known.window_open_until > now;
  const facts = [
    [
      "Window",
      open ? `open until ${moment(known.window_open_until, now)}` : "closed until they write or tap",
    ],
    ["Tags", known.tags.length > 0 ? known.tags.map((tag) => h("span", { class: "tag" }, tag)) : "none"],
    ...Object.entries(known.fields),
    known.opted_out && ["Opted out", "yes, until they write START"],
    known.unreachable && ["Unreachable", "until they write again"],
  ].filter(Boolean);
  element.replaceChildren(
    h(
      "div",
      { class: "card-box" },
      h("h3", {}, "What it knows"),
      h(
        "dl",
        { class: "facts" },
        facts.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, value)]),
      ),
    ),
  );
}

export function entries(element, section) {
  if (element.childElementCount === 0)
    element.append(
      h("h3", { class: "out-of-sight" }, "What happened, newest first"),
      h("ol", { class: "entries" }),
    );
  patch(
    element.querySelector("ol"),
    section.entries,
    (entry) => entry.id,
    (entry) => h("li", { class: "card-box" }),
    fillEntry,
  );
}

function fillEntry(item, entry) {
  const parts = [];
  if (entry.flow !== null) {
    const place = entry.step === null ? "" : `at ${stepName(entry.step)}`;
    const due = entry.due_at === null ? "" : `, until ${moment(entry.due_at, entry.now)}`;
    parts.push(
      h(
        "header",
        { class: "entry-head" },
        h(
          "div",
          {},
          h("h4", {}, entry.title ?? entry.flow),
          h("p", { class: "hint" }, `flow ${entry.flow} ${place}${due}`),
        ),
        chip(entry.status),
      ),
    );
  }
  parts.push(
    h(
      "ul",
      { class: "happened" },
      entry.events.map((event) => happened(event)),
    ),
  );
  if (entry.sent.length > 0) {
    parts.push(
      h("h5", {}, "Went out"),
      h(
        "ul",
        { class: "sent" },
        entry.sent.map((one) => sent(one)),
      ),
    );
  }
  item.replaceChildren(...parts.flat());
}

function happened(event) {
  const what = event.kind.replaceAll("_", " ");
  return h(
    "li",
    {},
    h(
      "p",
      { class: "event-line" },
      h("span", { class: "event-kind" }, what),
      event.text && h("q", {}, event.text),
      chip(event.verdict),
    ),
    event.reason && h("p", { class: "reason" }, event.reason),
    event.advice && h("p", { class: "advice" }, event.advice),
    event.steps.length > 0 &&
      h(
        "ul",
        { class: "steps", "aria-label": "Steps" },
        event.steps.map(([step, word, detail, verb]) =>
          h(
            "li",
            {},
            h("b", {}, stepName(step), verb && `, ${verb}`),
            `: ${word}`,
            detail && `, ${detail}`,
          ),
        ),
      ),
  );
}

function sent(one) {
  const tries = one.attempts > 1 ? ` after ${one.attempts} attempts` : "";
  return h(
    "li",
    {},
    h("span", {}, KINDS[one.action] ?? KINDS[one.kind] ?? one.kind, tries),
    chip(one.status),
    one.text && h("q", { class: "went" }, one.text),
    one.reason && h("p", { class: "reason" }, one.reason),
  );
}

/** do.1.buttons.0.do.2 → step 2 › button 1 › step 3 */
function stepName(path) {
  const words = {
    do: "step",
    buttons: "button",
    choices: "choice",
    chips: "chip",
    choose: "branch",
    cards: "card",
    else: "step",
    quick_replies: "choice",
  };
  const parts = [];
  let word = null;
  for (const part of path.split(".")) {
    if (/^\d+$/.test(part)) parts.push(`${word ?? "step"} ${Number(part) + 1}`);
    word = words[part] ?? part.replaceAll("_", " ");
  }
  return parts.join(" › ") || path;
}

function chip(word) {
  const tone = Object.keys(TONES).find((name) => TONES[name].includes(word)) ?? "quiet";
  return h("span", { class: `verdict ${tone}` }, word.replaceAll("_", " "));
}
