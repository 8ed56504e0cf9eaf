// Posts and reels with their comments.

import { face, icon, picture } from "./art.js";
import { ago, announce, byId, h, patch, setText, show } from "./dom.js";

const FEW = 3;

export class Posts {
  constructor(app) {
    this.app = app;
    this.opened = new Set();
  }

  render(state) {
    const posts = state.feed.map((post) => ({ ...post, now: state.now }));
    // another person finds empty comment boxes
    patch(
      byId("posts"),
      posts,
      (post) => `${state.me.username}/${post.id}`,
      (post) => this.#make(post),
      (element, post) => this.#fill(element, post),
    );
    show(byId("posts-none"), posts.length === 0);
  }

  #make(post) {
    const head = h(
      "header",
      {},
      face(h("span", { class: "avatar small", "aria-hidden": "true" }), post.shop),
      h("div", { class: "bar-text" }, h("h3", {}, post.shop), h("p", { class: "when" })),
      h("span", { class: "kind" }, post.kind === "reel" ? "Reel" : "Post"),
    );
    const art = h(
      "div",
      { class: `art art-${post.kind}`, role: "img", "aria-label": `A ${post.kind} of ${post.shop}` },
      picture(post),
    );
    if (post.kind === "reel") art.append(h("span", { class: "play" }, icon("play")));
    const input = h("input", {
      id: `c-${post.id}`,
      type: "text",
      placeholder: "Add a comment…",
      autocomplete: "off",
      maxlength: "2200",
      enterkeyhint: "send",
    });
    const replying = h("p", { class: "replying", hidden: true });
    const form = h(
      "form",
      { class: "pill", onsubmit: (event) => this.#comment(event, element) },
      h(
        "label",
        { class: "out-of-sight", for: input.id },
        `Comment on the ${post.kind} “${post.caption ?? post.shop}”`,
      ),
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
        h(
          "button",
          { type: "button", class: "icon-button", "aria-label": "Comment", onclick: focus },
          icon("comment"),
        ),
        h(
          "button",
          {
            type: "button",
            class: "icon-button",
            "aria-label": `Send this ${post.kind} to the shop`,
            onclick: share,
          },
          icon("share"),
        ),
      ),
      h("p", { class: "caption" }, h("b", {}, post.shop), " ", post.caption ?? ""),
      h("button", {
        type: "button",
        class: "plain all",
        hidden: true,
        onclick: () => this.#openAll(element),
      }),
      h("ul", { class: "comments", "aria-label": "Comments" }),
      replying,
      form,
      h("p", { class: "hint off", hidden: true }, "The shop has switched comments off."),
    );
    element.postId = post.id;
    element.shop = post.shop;
    return element;
  }

  #fill(element, post) {
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
    patch(
      element.querySelector(".comments"),
      comments,
      (comment) => comment.id,
      (comment) => this.#commentItem(element, comment),
    );
  }

  #openAll(element) {
    this.opened.add(element.postId);
    this.#fill(element, element.post);
    element.querySelector(".comments button")?.focus();
  }

  #commentItem(element, comment) {
    const item = this.#line(element, comment, comment.now);
    if (comment.replies.length > 0) {
      item.append(
        h(
          "ul",
          { class: "replies", "aria-label": "Replies" },
          comment.replies.map((reply) => this.#line(element, reply, comment.now)),
        ),
      );
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
        h(
          "p",
          {},
          h("b", {}, comment.username),
          comment.shop && h("span", { class: "mark" }, "Author"),
          " ",
          h("span", { class: "said" }, comment.text),
        ),
        h(
          "p",
          { class: "under" },
          h("span", {}, ago(comment.at, now)),
          h(
            "button",
            {
              type: "button",
              class: "plain",
              "aria-label": `Reply to ${comment.username}`,
              onclick: () => this.#startReply(element, comment),
            },
            "Reply",
          ),
          comment.mine &&
            h(
              "button",
              {
                type: "button",
                class: "plain",
                "aria-label": `Delete your comment “${comment.text}”`,
                onclick: remove,
              },
              "Delete",
            ),
          comment.hidden && h("span", {}, "Hidden by the shop: only you see it"),
        ),
      ),
    );
  }

  #startReply(element, comment) {
    element.parent = comment.id;
    const cancel = h(
      "button",
      { type: "button", class: "plain", onclick: () => this.#endReply(element) },
      "Cancel",
    );
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
