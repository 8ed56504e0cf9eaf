// One story, and the broadcast: both fill the glass.

import { face, picture } from "./art.js";
import { ago, byId, h, patch, setText, show, toast } from "./dom.js";

const QUICK = ["❤️", "🔥", "😂", "😍", "👏"];

export class Stage {
  constructor(app) {
    this.app = app;
    byId("story-form").addEventListener("submit", (event) => this.#answerStory(event));
    byId("live-form").addEventListener("submit", (event) => this.#commentLive(event));
    byId("story-emojis").append(
      ...QUICK.map((emoji) => h("button", { type: "button", onclick: () => this.#storyReply(emoji) }, emoji)),
    );
  }

  story(state, id) {
    const story = state.stories.find((one) => one.id === id);
    if (story === undefined) return this.app.go("feed");
    this.shownStory = story;
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
    const { shop, id } = this.shownStory;
    const done = await this.app.act("/sandbox/story_reply", {
      person: this.app.me,
      account: shop,
      story: id,
      text,
    });
    if (done) this.app.go("chat", shop);
    return done;
  }

  // the broadcast

  broadcast(state, id) {
    const live = state.live.find((one) => one.id === id);
    if (live === undefined) {
      toast("The broadcast is over.");
      return this.app.go("feed");
    }
    this.shownLive = live;
    this.#fillStage("live", live, null);
    const list = byId("live-comments");
    patch(
      list,
      live.comments.slice(-12),
      (comment) => comment.id,
      (comment) => h("li", {}, h("b", {}, comment.username), " ", comment.text),
    );
  }

  async #commentLive(event) {
    event.preventDefault();
    const input = byId("live-text");
    const text = input.value.trim();
    if (text === "") return;
    const what = { person: this.app.me, account: this.shownLive.shop, post: this.shownLive.id, text };
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
