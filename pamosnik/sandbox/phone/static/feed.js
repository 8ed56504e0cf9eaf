// The feed with its posts and comments, the ring of stories, one story, and the broadcast.

import { face, icon, picture } from "./art.js";
import { ago, announce, byId, h, patch, setText, show, toast } from "./dom.js";

const FEW = 3;
const QUICK = ["❤️", "🔥", "😂", "😍", "👏"];

export class Feed {
  constructor(app) {
    this.app = app;
    this.opened = new Set();
    byId("story-form").addEventListener("submit", (event) => this.#answerStory(event));
    byId("live-form").addEventListener("submit", (event) => this.#commentLive(event));
    byId("story-emojis").append(
      ...QUICK.map((emoji) => h("button", { type: "button", onclick: () => this.#storyReply(emoji) }, emoji)),
    );
  }

  render(state) {
    patch(byId("ring"), this.#ring(state), (item) => item.key, (item) => this.#ringItem(item));
    const posts = state.feed.map((post) => ({ ...post, now: state.now }));
    // another person finds empty comment boxes
    patch(byId("posts"), posts, (post) => `${state.me.username}/${post.id}`, (post) => this.#makePost(post), (el, post) => this.#fillPost(el, post));
    if (posts.length === 0) patch(byId("posts"), ["none"], (x) => x, () => h("p", { class: "hint padded" }, "No shop has posted anything yet. “At the shop” beside the phone posts something."));
  }

  // the ring

  #ring(state) {
    const withStory = [...new Set(state.stories.map((story) => story.shop))];
    return [
      { key: "own", kind: "own", name: state.me.username },
      ...state.live.map((live) => ({ key: `live-${live.id}`, kind: "live", id: live.id, name: live.shop })),
      ...withStory.map((shop) => ({ key: `story-${shop}`, kind: "story", id: state.stories.find((one) => one.shop === shop).id, name: shop })),
    ];
  }

  #ringItem({ kind, id, name }) {
    const head = h("span", { class: `halo halo-${kind}` }, face(h("span", { class: "avatar" }), name));
    if (kind === "own") {
      head.append(h("span", { class: "badge" }, icon("plus")));
      const label = "Your story: mention the shop in it";
      return h("li", {}, h("button", { type: "button", "aria-label": label, onclick: () => this.#mention() }, head, h("span", {}, "Your story")));
    }
    if (kind === "live") head.append(h("span", { class: "live-mark" }, "LIVE"));
    const label = kind === "live" ? `${name} is live` : `Story of ${name}`;
    const link = h("a", { href: this.app.address(kind === "live" ? "live" : "story", id), "aria-label": label }, head, h("span", {}, name));
    return h("li", {}, link);
  }

  #mention() {
    const { me, shops } = this.app.state;
    const choice = h("select", { name: "shop" }, shops.map((shop) => h("option", { value: shop.username, selected: shop.username === this.app.shop }, shop.username)));
    const form = h(
      "form",
      {
        class: "stack",
        onsubmit: async (event) => {
          event.preventDefault();
          const shop = choice.value;
          const done = await this.app.act("/sandbox/story_mention", { person: me.username, account: shop });
          if (!done) return;
          this.app.closeSheet();
          toast(`Your story mentions @${shop}. Instagram tells the shop in your messages.`);
        },
      },
      h("div", { class: "mention-art" }, picture({ id: `mention-${me.username}` }), h("span", { class: "sticker" }, `@${this.app.shop}`)),
      shops.length > 1 && h("label", { class: "field" }, h("span", {}, "Shop"), choice),
      me.private && h("p", { class: "hint" }, "Your profile is private: the shop only sees this if it follows you."),
      h("button", { type: "submit", class: "primary" }, `Post a story that mentions the shop`),
    );
    choice.addEventListener("change", () => setText(form.querySelector(".sticker"), `@${choice.value}`));
    this.app.sheet("Your story", form);
  }

  // posts

  #makePost(post) {
    const head = h(
      "header",
      {},
      face(h("span", { class: "avatar small", "aria-hidden": "true" }), post.shop),
      h("div", { class: "bar-text" }, h("h3", {}, post.shop), h("p", { class: "when" })),
      h("span", { class: "kind" }, post.kind === "reel" ? "Reel" : "Post"),
    );
    const art = h("div", { class: `art art-${post.kind}`, role: "img", "aria-label": `A ${post.kind} of ${post.shop}` }, picture(post));
    if (post.kind === "reel") art.append(h("span", { class: "play" }, icon("play")));
    const input = h("input", { id: `c-${post.id}`, type: "text", placeholder: "Add a comment…", autocomplete: "off", maxlength: "2200", enterkeyhint: "send" });
    const replying = h("p", { class: "replying", hidden: true });
    const form = h(
      "form",
      { class: "pill", onsubmit: (event) => this.#comment(event, element) },
      h("label", { class: "out-of-sight", for: input.id }, `Comment on the ${post.kind} “${post.caption ?? post.shop}”`),
      input,
      h("button", { type: "submit", class: "send" }, "Post"),
    );
    const focus = () => input.focus();
    const share = () => this.#share(post);
    const element = h(
      "article",
      { class: "post" },
      head,
      art,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "icon-button", "aria-label": "Comment", onclick: focus }, icon("comment")),
        h("button", { type: "button", class: "icon-button", "aria-label": `Send this ${post.kind} to the shop`, onclick: share }, icon("share")),
      ),
      h("p", { class: "caption" }, h("b", {}, post.shop), " ", post.caption ?? ""),
      h("button", { type: "button", class: "plain all", hidden: true, onclick: () => this.#openAll(element) }),
      h("ul", { class: "comments", "aria-label": "Comments" }),
      replying,
      form,
      h("p", { class: "hint off", hidden: true }, "The shop has switched comments off."),
    );
    element.postId = post.id;
    element.shop = post.shop;
    return element;
  }

  #fillPost(element, post) {
    element.post = post;
    setText(element.querySelector(".when"), ago(post.at, post.now));
    show(element.querySelector("form"), post.comments_enabled);
    show(element.querySelector(".off"), !post.comments_enabled);
    const folded = !this.opened.has(post.id) && post.comments.length > FEW;
    const shown = folded ? post.comments.slice(-FEW) : post.comments;
    const all = element.querySelector(".all");
    setText(all, `View all ${post.total} comments`);
    show(all, folded);
    const comments = shown.map((comment) => ({ ...comment, now: post.now }));
    patch(element.querySelector(".comments"), comments, (comment) => comment.id, (comment) => this.#commentItem(element, comment));
  }

  #openAll(element) {
    this.opened.add(element.postId);
    this.#fillPost(element, element.post);
    element.querySelector(".comments button")?.focus();
  }

  #commentItem(element, comment) {
    const item = this.#line(element, comment, comment.now);
    if (comment.replies.length > 0) {
      item.append(h("ul", { class: "replies", "aria-label": "Replies" }, comment.replies.map((reply) => this.#line(element, reply, comment.now))));
    }
    return item;
  }

  #line(element, comment, now) {
    const remove = () => this.app.act("/sandbox/delete_comment", { id: comment.id });
    return h(
      "li",
      { class: comment.shop ? "by-shop" : null },
      face(h("span", { class: "avatar tiny", "aria-hidden": "true" }), comment.username),
      h(
        "div",
        {},
        h("p", {}, h("b", {}, comment.username), comment.shop && h("span", { class: "mark" }, "Author"), " ", h("span", { class: "said" }, comment.text)),
        h(
          "p",
          { class: "under" },
          h("span", {}, ago(comment.at, now)),
          h("button", { type: "button", class: "plain", "aria-label": `Reply to ${comment.username}`, onclick: () => this.#startReply(element, comment) }, "Reply"),
          comment.mine && h("button", { type: "button", class: "plain", "aria-label": `Delete your comment “${comment.text}”`, onclick: remove }, "Delete"),
          comment.hidden && h("span", {}, "Hidden by the shop: only you see it"),
        ),
      ),
    );
  }

  #startReply(element, comment) {
    element.parent = comment.id;
    const cancel = h("button", { type: "button", class: "plain", onclick: () => this.#endReply(element) }, "Cancel");
    const place = element.querySelector(".replying");
    place.replaceChildren(`Replying to ${comment.username} `, cancel);
    place.hidden = false;
    element.querySelector("input").focus();
  }

  #endReply(element) {
    element.parent = null;
    element.querySelector(".replying").hidden = true;
    element.querySelector("input").focus();
  }

  async #comment(event, element) {
    event.preventDefault();
    const input = element.querySelector("input");
    const text = input.value.trim();
    if (text === "") return;
    const what = { person: this.app.me, account: element.shop, post: element.postId, text };
    if (element.parent) what.parent = element.parent;
    input.value = "";
    if (await this.app.act("/sandbox/comment", what)) this.#endReply(element);
    else input.value ||= text;
  }

  async #share(post) {
    const what = { person: this.app.me, account: post.shop, post: post.id };
    if (await this.app.act("/sandbox/share_post", what)) this.app.go("chat", post.shop);
  }

  // one story

  renderStory(state, id) {
    const story = state.stories.find((one) => one.id === id);
    if (story === undefined) return this.app.go("feed");
    this.story = story;
    this.#fillStage("story", story, `${ago(story.at, state.now)}`);
    setText(byId("story-caption"), story.caption ?? "");
    show(byId("story-caption"), Boolean(story.caption));
  }

  async #answerStory(event) {
    event.preventDefault();
    const input = byId("story-text");
    const text = input.value.trim();
    if (text !== "" && (await this.#storyReply(text))) input.value = "";
  }

  async #storyReply(text) {
    const { shop, id } = this.story;
    const done = await this.app.act("/sandbox/story_reply", { person: this.app.me, account: shop, story: id, text });
    if (done) this.app.go("chat", shop);
    return done;
  }

  // the broadcast

  renderLive(state, id) {
    const live = state.live.find((one) => one.id === id);
    if (live === undefined) {
      toast("The broadcast is over.");
      return this.app.go("feed");
    }
    this.live = live;
    this.#fillStage("live", live, null);
    const list = byId("live-comments");
    patch(list, live.comments.slice(-12), (comment) => comment.id, (comment) => h("li", {}, h("b", {}, comment.username), " ", comment.text));
  }

  async #commentLive(event) {
    event.preventDefault();
    const input = byId("live-text");
    const text = input.value.trim();
    if (text === "") return;
    const what = { person: this.app.me, account: this.live.shop, post: this.live.id, text };
    if (await this.app.act("/sandbox/comment", what)) input.value = "";
  }

  #fillStage(name, media, sub) {
    const canvas = byId(`${name}-canvas`);
    if (canvas.dataset.id !== media.id) {
      canvas.dataset.id = media.id;
      canvas.replaceChildren(picture(media, true));
    }
    face(byId(`${name}-avatar`), media.shop);
    setText(byId(`${name}-title`), media.shop);
    if (sub !== null) setText(byId(`${name}-sub`), sub);
  }
}

/** Reads out what the shop answered in public since the last look. */
export function announceReplies(before, state) {
  const known = new Set(replies(before).map((reply) => reply.id));
  for (const reply of replies(state)) {
    if (!known.has(reply.id)) announce(`${reply.username} replied to your comment: ${reply.text}`);
  }
}

function replies(state) {
  const mine = state.feed.flatMap((post) => post.comments).filter((comment) => comment.mine);
  return mine.flatMap((comment) => comment.replies).filter((reply) => reply.shop);
}
