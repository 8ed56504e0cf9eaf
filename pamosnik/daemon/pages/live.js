// Keeps a page as the server has it: when /live says that there is news, the page is read anew and what differs is
// taken over. Whatever somebody is at stays: focus, scrolling, what is folded out, forms that are filled in.
"use strict";
(() => {
  const REST_MS = 2000; // between two readings
  const main = document.getElementById("main");
  let mark = document.querySelector("meta[name=live]").content;
  let stream = null, reading = false, again = false;

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/live?since=" + mark);
    stream.addEventListener("changed", read);
    stream.addEventListener("enough", stop);
  }

  function stop() {
    if (stream) stream.close();
    stream = null;
  }

  async function read() {
    if (reading) { again = true; return; }
    reading = true;
    again = false;
    try {
      const answer = await fetch(location.href, { cache: "no-store", redirect: "error" });
      if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // Without a connection the page stays as it is; the stream connects again by itself, and tells again.
    }
    setTimeout(() => { reading = false; if (again) read(); }, REST_MS);
  }

  function take(page) {
    const told = page.querySelector("meta[name=live]"), fresh = page.getElementById("main");
    if (!told || !fresh) return;
    mark = told.content;
    document.title = page.title;
    become(main, fresh);
  }

  // Makes `old` what `fresh` is, and keeps all nodes that can be kept.
  function become(old, fresh) {
    if (old.isEqualNode(fresh) || isBusy(old)) return;
    for (const { name } of [...old.attributes])
      if (!fresh.hasAttribute(name) && !isOurs(old, name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes)
      if (old.getAttribute(name) !== value && !isOurs(old, name)) old.setAttribute(name, value);
    const named = new Map([...old.children].reverse().map(one => [key(one), one]));
    const wanted = new Set([...fresh.children].map(key));
    let place = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      while (place && key(place) && !wanted.has(key(place))) place = remove(place);
      const name = key(child), kept = name ? named.get(name) : place;
      if (kept && key(kept) === name && alike(kept, child)) {
        named.delete(name);
        if (kept === place) place = place.nextSibling;
        else old.insertBefore(kept, place);
        if (kept.nodeType === Node.ELEMENT_NODE) become(kept, child);
        else if (kept.nodeValue !== child.nodeValue) kept.nodeValue = child.nodeValue;
      } else {
        old.insertBefore(document.importNode(child, true), place);
      }
    }
    while (place) place = remove(place);
  }

  // Gives what stands behind it. What holds a form that somebody is at stays.
  function remove(node) {
    const next = node.nextSibling;
    const forms = node.nodeType === Node.ELEMENT_NODE ? [node, ...node.querySelectorAll("form")] : [];
    if (!forms.some(isBusy)) node.remove();
    return next;
  }

  function alike(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName;
  }

  // What a part or row is called: under the same name it is the same thing, wherever it stands now.
  function key(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return null;
    if (node.id) return "#" + node.id;
    if (node.localName !== "tr" && node.localName !== "li") return null;
    const link = node.querySelector("a[href]");
    return link && link.getAttribute("href");
  }

  // Folded out or in by whoever reads, not by the server.
  function isOurs(node, name) {
    return node.localName === "details" && name === "open";
  }

  // A form that somebody is at, or has filled in.
  function isBusy(node) {
    return node.localName === "form" && (node.contains(document.activeElement) || [...node.elements].some(isChanged));
  }

  function isChanged(control) {
    if (control.localName === "select") return [...control.options].some(one => one.selected !== one.defaultSelected);
    if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
    return "defaultValue" in control && control.value !== control.defaultValue;
  }

  document.addEventListener("visibilitychange", () => document.hidden ? stop() : listen());
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  listen();
})();
