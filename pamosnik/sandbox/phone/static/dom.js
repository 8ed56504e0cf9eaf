// Making and patching the DOM. Whatever strangers wrote becomes a text node: nothing here parses HTML.

export const byId = (id) => document.getElementById(id);

/** An element. `props` are attributes; functions under `on…` are listeners; false and null leave one out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Makes the children of `parent` those of `items`, keeping every element whose item did not change: a reader's
 * place, a half-typed text and the focus survive. With `update` an element is patched, else made anew.
 */
export function patch(parent, items, key, make, update = null) {
  const known = new Map([...parent.children].map((child) => [child.patchKey, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const itemKey = String(key(item));
    const mark = JSON.stringify(item);
    let element = known.get(itemKey);
    known.delete(itemKey);
    if (element === undefined) element = made(make, item, itemKey, mark, update);
    else if (element.patchMark !== mark) {
      element.patchMark = mark;
      if (update !== null) update(element, item);
      else {
        const fresh = made(make, item, itemKey, mark, null);
        if (place === element) place = fresh;
        replaceKeepingFocus(element, fresh);
        element = fresh;
      }
    }
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const gone of known.values()) gone.remove();
}

function made(make, item, itemKey, mark, update) {
  const element = make(item);
  element.patchKey = itemKey;
  element.patchMark = mark;
  if (update !== null) update(element, item);
  return element;
}

function replaceKeepingFocus(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const name = focused?.textContent;
  old.replaceWith(fresh);
  if (focused === null) return;
  const same = [...fresh.querySelectorAll("button, a")].find((one) => one.textContent === name);
  (same ?? fresh.querySelector("button, a"))?.focus();
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

const LINK = /https?:\/\/[^\s<>"“”]+[^\s<>"“”.,;:!?)\]]/g;

/** Text with its addresses as links. */
export function linked(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    parts.push(text.slice(from, found.index), outside(found[0], found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

/** A link that opens elsewhere and tells nothing about this page. */
export function outside(url, label, props = {}) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...props }, label);
}

/** A field for `form`s of the sheets and the desk: label above, control below. */
export function field(label, control, hint = null) {
  return h("label", { class: "field" }, h("span", {}, label), control, hint && h("small", {}, hint));
}

let timeZone;

/** Times show in this zone from now on; undefined is the browser's own. */
export function setZone(zone) {
  timeZone = zone;
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
}

/** The time, with its day unless that is today. */
export function moment(iso, now) {
  const options = { weekday: "short", day: "numeric", month: "short", timeZone };
  const [day, today] = [iso, now].map((one) => new Date(one).toLocaleDateString([], options));
  return day === today ? clock(iso) : `${day}, ${clock(iso)}`;
}

/** How long ago, short; both are ISO instants of the world's clock. */
export function ago(iso, now) {
  const minutes = Math.floor((new Date(now) - new Date(iso)) / 60000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h`;
  return new Date(iso).toLocaleDateString([], { day: "numeric", month: "short", timeZone });
}

/** Puts the focus where one writes; beside it on a touch screen, whose keyboard would cover what is to be read. */
export function focusText(id, beside) {
  const touch = matchMedia("(hover: none)").matches;
  byId(touch ? beside : id).focus({ preventScroll: true });
}

let saying = 0;

/** Read out by screen readers once the present speech ends. */
export function announce(text) {
  const place = byId("announce");
  clearTimeout(saying);
  place.append(h("p", {}, text));
  while (place.children.length > 5) place.firstElementChild.remove();
  saying = setTimeout(() => place.replaceChildren(), 10000);
}

let toasting = 0;

/** One sentence at the foot of the phone: what went wrong, or what was done out of sight. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(toasting);
  toasting = setTimeout(() => (place.hidden = true), 6000);
}
