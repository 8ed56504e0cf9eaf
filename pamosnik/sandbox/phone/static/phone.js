// The page: who is playing, which view is open, and the sheets. The address holds both: #/anna/chat/rosas_shop.

import { face, icon } from "./art.js";
import { Chat, announceMessages } from "./chat.js";
import { Desk } from "./desk.js";
import { byId, clock, focusText, h, setText, setZone, show, toast } from "./dom.js";
import { Inbox } from "./inbox.js";
import { Cut, Refused, Watch, post } from "./net.js";
import { People } from "./people.js";
import { Posts, announceReplies } from "./posts.js";
import { Ring } from "./ring.js";
import { Stage } from "./stage.js";

const VIEWS = ["feed", "inbox", "chat", "story", "live", "nothing"];
/** view → what has the focus after a change to it, and what has it on a touch screen. */
const FOCUS = {
  chat: ["chat-text", "chat-scroll"],
  story: ["story-text", "story-close"],
  live: ["live-text", "live-close"],
  behind: ["desk"],
  feed: ["tab-feed"],
  inbox: ["tab-inbox"],
};
const NARROW = matchMedia("(max-width: 60rem)");

class App {
  constructor() {
    this.state = null;
    this.shop = null;
    // what lies under “Behind the scenes” on a narrow screen: view and id
    this.under = ["feed"];
    this.ring = new Ring(this);
    this.posts = new Posts(this);
    this.stage = new Stage(this);
    this.inbox = new Inbox(this);
    this.chat = new Chat(this);
    this.people = new People(this);
    this.desk = new Desk(this);
    this.#furnish();
    this.watch = new Watch(() => this.#question(), {
      onState: (state) => this.#arrived(state),
      onCut: () => this.#cut(),
      onBack: () => show(byId("banner"), false),
      onRefused: (problem) => this.#refused(problem),
    });
    addEventListener("hashchange", () => this.#moved());
    addEventListener("keydown", (event) => this.#key(event));
    this.#moved();
    setInterval(() => this.#tick(), 10000);
    this.#tick();
  }

  get me() {
    return this.route.person ?? this.state?.me.username ?? null;
  }

  // where we are

  get route() {
    const [person, view, id] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
    return { person: person || null, view: view || "feed", id: id || null };
  }

  address(view, id = null, person = this.me) {
    return `#/${[person, view, id]
      .filter((part) => part !== null)
      .map(encodeURIComponent)
      .join("/")}`;
  }

  go(view, id = null, person = this.me) {
    location.hash = this.address(view, id, person);
  }

  #moved() {
    const { view, id, person } = this.route;
    if (["feed", "inbox", "chat"].includes(view)) this.under = id === null ? [view] : [view, id];
    if (view === "chat") this.shop = id;
    if (![...VIEWS, "behind"].includes(view)) toast(`There is no page called ${view} here.`);
    if (this.state !== null && person !== null && person !== this.state.me.username) this.previous = null;
    if (view !== "chat") this.chat.leave();
    if (this.state !== null && (person ?? this.state.me.username) === this.state.me.username) this.#draw();
    this.#focus(view);
    this.watch.now(true);
  }

  /** After a change of view the keyboard goes on where the eye is. */
  #focus(view) {
    if (this.lastView === undefined || this.lastView === view) return void (this.lastView = view);
    this.lastView = view;
    const [target, beside] = FOCUS[view] ?? FOCUS.feed;
    requestAnimationFrame(() => focusText(target, beside ?? target));
  }

  // what the sandbox says

  #question() {
    const query = new URLSearchParams();
    if (this.me !== null) query.set("person", this.me);
    if (this.shop !== null) query.set("shop", this.shop);
    return `/phone/state?${query}`;
  }

  #arrived(state) {
    if (this.route.person !== null && state.me.username !== this.route.person) return;
    const before = this.previous;
    setZone(state.behind.observed?.zone);
    this.#tick();
    this.state = state;
    this.shop ??= state.thread.shop;
    this.#draw();
    if (before?.me.username === state.me.username) {
      announceMessages(before, state);
      announceReplies(before, state);
    }
    this.previous = state;
  }

  redraw() {
    this.#draw();
  }

  #draw() {
    const { state } = this;
    let { view, id } = this.route;
    if (view === "behind" && !NARROW.matches) view = "feed";
    document.body.classList.toggle("behind-open", view === "behind");
    const shown = VIEWS.includes(view) ? view : "feed";
    for (const name of VIEWS) show(byId(`view-${name}`), name === shown);
    this.#frame(state, shown);
    if (shown === "feed") {
      this.ring.render(state);
      this.posts.render(state);
    }
    if (shown === "inbox") this.inbox.render(state);
    if (shown === "story") this.stage.story(state, id);
    if (shown === "live") this.stage.broadcast(state, id);
    if (shown === "chat" && state.thread.shop === this.shop) this.chat.render(state);
    this.desk.render(state);
  }

  #frame(state, shown) {
    for (const who of [byId("who"), byId("who-inbox")]) {
      if (who.dataset.me === state.me.username + state.me.name) continue;
      who.dataset.me = state.me.username + state.me.name;
      who.replaceChildren(
        face(h("span", { class: "avatar tiny", "aria-hidden": "true" }), state.me.username),
        h("span", {}, state.me.username),
        h("span", { "aria-hidden": "true" }, "▾"),
      );
      who.setAttribute("aria-label", `You are ${state.me.name}. Play somebody else`);
    }
    const unread = state.shops.reduce((sum, shop) => sum + shop.unread, 0);
    const tabs = { feed: ["Home", 0], inbox: ["Messages", unread], behind: ["Behind the scenes", 0] };
    for (const [name, [label, count]] of Object.entries(tabs)) {
      const tab = byId(`tab-${name}`);
      tab.href = this.address(name);
      if (shown === name) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
      tab.setAttribute("aria-label", count > 0 ? `${label}, ${count} unread` : label);
      tab.classList.toggle("fresh", count > 0);
      tab.dataset.count = count > 9 ? "9+" : String(count);
    }
    show(byId("tabs"), ["feed", "inbox"].includes(shown));
    byId("chat-back").href = this.address("inbox");
    byId("chat-behind").href = this.address("behind");
    for (const name of ["story-close", "live-close"]) byId(name).href = this.address("feed");
    const [view, id] = this.under;
    byId("desk-close").href = this.address(view, id);
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${state.me.name}’s phone · Pamosnik sandbox`;
  }

  #refused(problem) {
    // The person or the shop of the address is not in this world: it was started anew.
    if (this.me !== null && location.hash !== "") {
      const { person, view, id } = this.route;
      const nobody = problem.message.includes(`person ${person}`) || view !== "chat" ? person : id;
      toast(`There is nobody called ${nobody} here.`);
      this.state = this.previous = this.shop = null;
      location.hash = "";
      return;
    }
    for (const name of VIEWS) show(byId(`view-${name}`), name === "nothing");
    show(byId("tabs"), false);
    this.desk.unavailable(problem.message);
  }

  #cut() {
    setText(byId("banner"), "The sandbox does not answer. Trying again …");
    show(byId("banner"), true);
  }

  /** Does something and looks at what came of it. Says why when it could not be done. */
  async act(path, what) {
    try {
      await post(path, what);
    } catch (problem) {
      if (!(problem instanceof Refused || problem instanceof Cut)) throw problem;
      toast(problem.message);
      return false;
    }
    await this.watch.now();
    return true;
  }

  setPerson(change) {
    return this.act("/sandbox/people", { username: this.me, account: this.shop, ...change });
  }

  /** Looks at another shop without opening its conversation. */
  chooseShop(username) {
    this.shop = username;
    if (this.route.view === "chat") this.go("chat", username);
    else this.watch.now(true);
  }

  // sheets

  sheet(title, ...children) {
    const dialog = byId("sheet");
    setText(byId("sheet-title"), title);
    byId("sheet-body").replaceChildren(...children);
    // A modal dialog stands above everything; it is placed where the phone's glass is.
    const phone = byId("phone");
    const { left, bottom } = phone.getBoundingClientRect();
    dialog.style.setProperty("--left", `${left + phone.clientLeft}px`);
    dialog.style.setProperty("--width", `${phone.clientWidth}px`);
    dialog.style.setProperty("--bottom", `${Math.max(0, innerHeight - bottom + phone.clientTop)}px`);
    if (!dialog.open) dialog.showModal();
  }

  closeSheet() {
    byId("sheet").close();
    return true;
  }

  // the furniture

  #furnish() {
    const icons = {
      "tab-feed": "home",
      "tab-inbox": "messages",
      "tab-behind": "behind",
      "chat-back": "back",
      "chat-behind": "behind",
      picture: "picture",
      "story-close": "close",
      "live-close": "close",
      "desk-close": "close",
      "sheet-close": "close",
    };
    for (const [id, name] of Object.entries(icons)) byId(id).append(icon(name));
    byId("who").addEventListener("click", () => this.people.open());
    byId("who-inbox").addEventListener("click", () => this.people.open());
    byId("sheet-close").addEventListener("click", () => this.closeSheet());
    byId("sheet").addEventListener("click", (event) => event.target === byId("sheet") && this.closeSheet());
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();
      if (NARROW.matches) this.go("behind");
      else byId("desk").focus();
    });
    NARROW.addEventListener("change", () => this.state !== null && this.#draw());
  }

  #key(event) {
    if (event.key !== "Escape" || byId("sheet").open || event.defaultPrevented) return;
    const elsewhere = byId("desk").contains(document.activeElement) && this.route.view !== "behind";
    if (elsewhere) return;
    const { view } = this.route;
    const back = { chat: ["inbox"], story: ["feed"], live: ["feed"], behind: this.under }[view];
    if (back !== undefined) this.go(...back);
  }

  #tick() {
    setText(byId("clock"), clock(new Date()));
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

new App();
