// What the switches of the sandbox are called.

/** name → [what it is called, what it does]. Others that the sandbox offers show what it says of them. */
export const DELIVERIES = {
  duplicates: ["Extra copies of every webhook", "Meta repeats deliveries; nothing may happen twice."],
  shuffle: ["Out of order", "Needs a delay, so that a queue builds up."],
  lose_next: ["Lose the next webhooks", "So many of the next ones never arrive; counts down."],
  loss: ["Lose webhooks", "This share of them never arrives, 0 to 1."],
  delay_s: ["Delay in seconds", "How late webhooks arrive."],
  batch: ["Most updates in one webhook", "They travel together when a queue has built up."],
  echo_first: ["Echo before the answer", "The webhook of a send arrives before the send is answered."],
  edit_companions: ["Announce every message twice", "A message_edit with num_edit 0 beside each message."],
};
export const ACCOUNT = {
  private_reply_buttons: ["Private replies may carry buttons", "Off: they are refused; tools report both."],
  message_access: [
    "“Allow access to messages”",
    "Off in the owner’s Instagram app: no message arrives, sends are refused.",
  ],
  has_role: ["The account has a role on the app", "Off: every call is refused with code 100."],
  human_agent: ["Human Agent is approved", "Lets a human answer for 7 days."],
};
const OTHERS = { live: "The app is live", faults: "Calls that fail" };

/** What a switch is called; `told` is what the sandbox says of all of them. */
export function called(name, told = {}) {
  return OTHERS[name] ?? (DELIVERIES[name] ?? ACCOUNT[name])?.[0] ?? sentence(told[name]?.says ?? name.replaceAll("_", " "));
}

function sentence(text) {
  return text[0].toUpperCase() + text.slice(1);
}

/** “Delay in seconds: 5”, “The app is live: off” */
export function setting({ name, value }, told) {
  const said = { true: "on", false: "off" }[String(value)] ?? [value].flat().join(", ");
  return `${called(name, told)}: ${said}`;
}
