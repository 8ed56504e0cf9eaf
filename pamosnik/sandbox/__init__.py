"""A fake Instagram on this machine: Graph API, webhooks, and a small HTTP API that plays the people.

It is written from our reference of Meta's platform alone and imports nothing of ours but
`errors` and `clock`, so that it can disagree with the product. Its numbers are its own (`rules`).

things     what exists: accounts, people, media, comments, threads, messages
world      the state, and finding things in it         saved      a world as a file; `codec` its JSON
people     what people do; `entrances` other doors     business   what the API does, with Instagram's refusals
behaviour  switches of what is not certain             deliveries switches of deliveries; `switches` reads both
items      how a change looks in a webhook             webhooks   delivers it; `envelopes` the signed bytes
content    reads and checks the body of a send         fields     `fields=a,b{c}` and paging
views      how a thing looks in a Graph answer         graph      Graph over HTTP; `oauth` tokens, `calls` one call
routes     which address does what                     limits     how many calls fit into how much time
faults     what can go wrong, and when; `endings` how  files      fetches media from this machine
messenger_profile ice breakers, menu, welcome flows    subscriptions the app's webhook subscription
privacy    Meta's signed callbacks
control    `/sandbox/…`: plays the people over HTTP; `acts` what they do, `desk` the dashboard and the switches
phone      the page with a phone on it, and what stands beside
main       `Sandbox`, the whole as one object
"""
