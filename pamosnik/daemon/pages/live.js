// Keeps a page as the server has it: when /live says that there is news, the page is read anew and what differs is
// taken over. Whatever somebody is at stays: focus, scrolling, what is folded out, forms that are filled in. While the
// page cannot be kept up to date, it says so.
"use strict";
(() => {
  const REST_MS = 2000; // between two readings
  const AGAIN_MS = 5000; // before the server is asked once more
  const LOST_MS = 10000; // a restart takes less, and is not worth a word
  const SILENT_MS = 60000; // the server gives a sign of life every 20 seconds; a line can die without a word
  const main = document.getElementById("main"), told = document.getElementById("live");
  let mark = document.querySelector("meta[name=live]").content;
  let stream = null, reading = false, again = false, heardAt = 0, lost = null, loggedOut = false;

  function listen() {
    if (stream || document.hidden || loggedOut) return;
    stream = new EventSource("/live?since=" + mark);
    heardAt = Date.now();
    stream.addEventListener("open", heard);
    stream.addEventListener("alive", heard);
    stream.addEventListener("changed", () => { heard(); read(); });
    stream.addEventListener("enough", enough);
    stream.addEventListener("error", missed);
  }

  function stop() {
    if (stream) stream.close();
    stream = null;
    clearTimeout(lost);
    lost = null;
  }

  function heard() {
    heardAt = Date.now();
    clearTimeout(lost);
    lost = null;
    say("");
  }

  // The browser connects again by itself, unless something else than Pamosnik has answered, or a page that is logged out.
  function missed() {
    lost ??= setTimeout(say, LOST_MS, "Pamosnik does not answer: what stands here may be out of date. It is asked again by itself.");
    if (stream.readyState !== EventSource.CLOSED) return;
    stream = null;
    setTimeout(listen, AGAIN_MS);
    read();
  }

  // The session has ended, or other windows of it are kept up to date: this one again when somebody comes back to it.
  async function enough() {
    stop();
    await read();
    say("Many windows of Pamosnik are open: this one is no longer kept up to date.");
  }

  function say(words) {
    if (!loggedOut && told.textContent !== words) told.textContent = words;
  }

  function end() {
    stop();
    say("You are logged out: what stands here is no longer kept up to date. ");
    const link = told.appendChild(document.createElement("a"));
    link.href = location.pathname;
    link.textContent = "Log in";
    loggedOut = true;
  }

  async function read() {
    if (reading) { again = true; return; }
    reading = true;
    again = false;
    try {
      const answer = await fetch(location.href, { cache: "no-store", redirect: "manual" });
      if (answer.type === "opaqueredirect") end();
      else if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // Without a connection the page stays as it is; the stream connects again, and tells again.
    }
    setTimeout(() => { reading = false; if (again) read(); }, REST_MS);
  }

  function take(page) {
    const news = page.querySelector("meta[name=live]"), fresh = page.getElementById("main");
    if (!news || !fresh) return;
    mark = news.content;
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
        else move(kept, old, place);
        if (kept.nodeType === Node.ELEMENT_NODE) become(kept, child);
        else if (kept.nodeValue !== child.nodeValue) kept.nodeValue = child.nodeValue;
      } else {
        old.insertBefore(document.importNode(child, true), place);
      }
    }
    while (place) place = remove(place);
  }

  // What has the focus loses it on the way.
  function move(node, parent, place) {
    const at = node.contains(document.activeElement) ? document.activeElement : null;
    parent.insertBefore(node, place);
    if (at) at.focus({ preventScroll: true });
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
  addEventListener("focus", listen);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", listen);
  setInterval(() => {
    if (!stream || Date.now() - heardAt < SILENT_MS) return;
    stop();
    listen();
  }, AGAIN_MS);
  listen();
})();
