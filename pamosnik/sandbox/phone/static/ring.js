// The ring of stories and broadcasts on top of the feed.

import { face, icon, picture } from "./art.js";
import { byId, h, patch, setText, toast } from "./dom.js";

export class Ring {
  constructor(app) {
    this.app = app;
  }

  render(state) {
    patch(
      byId("ring"),
      this.#items(state),
      (item) => item.key,
      (item) => this.#make(item),
    );
  }

  #items(state) {
    const withStory = [...new Set(state.stories.map((story) => story.shop))];
    return [
      { key: "own", kind: "own", name: state.me.username },
      ...state.live.map((live) => ({ key: `live-${live.id}`, kind: "live", id: live.id, name: live.shop })),
      ...withStory.map((shop) => ({
        key: `story-${shop}`,
        kind: "story",
        id: state.stories.find((one) => one.shop === shop).id,
        name: shop,
      })),
    ];
  }

  #make({ kind, id, name }) {
    const head = h("span", { class: `halo halo-${kind}` }, face(h("span", { class: "avatar" }), name));
    if (kind === "own") {
      head.append(h("span", { class: "badge" }, icon("plus")));
      const label = "Your story: mention the shop in it";
      return h(
        "li",
        {},
        h(
          "button",
          { type: "button", "aria-label": label, onclick: () => this.#mention() },
          head,
          h("span", {}, "Your story"),
        ),
      );
    }
    if (kind === "live") head.append(h("span", { class: "live-mark" }, "LIVE"));
    const label = kind === "live" ? `${name} is live` : `Story of ${name}`;
    const link = h(
      "a",
      { href: this.app.address(kind === "live" ? "live" : "story", id), "aria-label": label },
      head,
      h("span", {}, name),
    );
    return h("li", {}, link);
  }

  #mention() {
    const { me, shops } = this.app.state;
    const choice = h(
      "select",
      { name: "shop" },
      shops.map((shop) =>
        h("option", { value: shop.username, selected: shop.username === this.app.shop }, shop.username),
      ),
    );
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
      h(
        "div",
        { class: "mention-art" },
        picture({ id: `mention-${me.username}` }),
        h("span", { class: "sticker" }, `@${this.app.shop}`),
      ),
      shops.length > 1 && h("label", { class: "field" }, h("span", {}, "Shop"), choice),
      me.private &&
        h("p", { class: "hint" }, "Your profile is private: the shop only sees this if it follows you."),
      h("button", { type: "submit", class: "primary" }, `Post a story that mentions the shop`),
    );
    choice.addEventListener("change", () => setText(form.querySelector(".sticker"), `@${choice.value}`));
    this.app.sheet("Your story", form);
  }
}
