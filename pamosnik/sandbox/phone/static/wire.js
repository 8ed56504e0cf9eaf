// The traffic on the wire, and how to connect a program.

import { clock, h, patch } from "./dom.js";

export function connect(element, { token, app_secret: secret, callback_url: callback, live, subscribed }) {
  const how =
    callback === null
      ? "No program listens yet: configure a callback address first."
      : `Webhooks go to ${callback}.`;
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
      h(
        "p",
        { class: "hint" },
        how,
        live ? "" : " The app is not live: nothing is delivered.",
        subscribed ? "" : " No account has subscribed its webhooks.",
      ),
      h(
        "dl",
        { class: "facts" },
        lines.flatMap(([label, value, where]) => [
          h("dt", {}, label),
          h("dd", {}, h("code", {}, value), h("small", {}, where)),
        ]),
      ),
      h(
        "p",
        { class: "hint" },
        "Then POST /sandbox/configure with callback_url, verify_token, fields and live: true. The verify token is"
          + " your program’s own; Pamosnik’s is PAMOSNIK_VERIFY_TOKEN, or the line verify_token of pamosnik.toml in"
          + " its home (",
        h("code", {}, "pamosnik config show"),
        " hides it). Step by step: docs/sandbox.md. Start ",
        h("code", {}, "pamosnik demo"),
        " to see both together.",
      ),
    ),
  );
}

export function wire(element, { open, webhooks, calls }) {
  if (element.childElementCount === 0) {
    const list = (name) => h("ol", { class: "wire", "aria-label": name });
    element.append(
      h(
        "details",
        { class: "card-box", open },
        h("summary", {}, "On the wire"),
        h("h4", {}, "Webhooks delivered"),
        list("Webhooks delivered"),
        h("h4", {}, "Graph calls received"),
        list("Graph calls received"),
      ),
    );
  }
  const [first, second] = element.querySelectorAll("ol");
  patch(
    first,
    numbered(webhooks),
    (one) => one.key,
    (one) => {
      const tries = one.tries > 1 ? `, try ${one.tries}` : "";
      return h(
        "li",
        {},
        h("time", {}, clock(one.at)),
        h("span", {}, one.kinds.join(", ")),
        status(one.status === 200, one.status === null ? `no answer${tries}` : `${one.status}${tries}`),
      );
    },
  );
  patch(
    second,
    numbered(calls),
    (one) => one.key,
    (one) =>
      h(
        "li",
        {},
        h("time", {}, clock(one.at)),
        h("code", {}, `${one.method} ${one.path}`),
        status(one.status < 400, String(one.status)),
      ),
  );
  for (const list of [first, second]) list.classList.toggle("none", list.childElementCount === 0);
}

/** Rows have no id: their instant and place among equals make one. */
function numbered(rows) {
  const seen = new Map();
  return [...rows]
    .reverse()
    .map((row) => {
      const name = JSON.stringify(row);
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return { ...row, key: `${name}${seen.get(name)}` };
    })
    .reverse();
}

function status(good, text) {
  return h("span", { class: `verdict ${good ? "good" : "bad"}` }, text);
}
