"""A fake Instagram on this machine: Graph API, webhooks, and a small HTTP API that plays the people.

It is written from our reference of Meta's platform alone and imports nothing of ours but
`errors` and `clock`, so that it can disagree with the product. Its numbers are its own (`rules`).

things     what exists: accounts, people, media, comments, threads, messages
world      the state, and finding things in it
people     what people do              business   what the API does, with Instagram's refusals
items      how a change looks in a webhook         webhooks   delivers it, signed
content    reads and checks the body of a send     fields     `fields=a,b{c}` and paging
views      how a thing looks in a Graph answer     graph      Graph API over HTTP; `oauth` its tokens
control    `/sandbox/…`: plays the people over HTTP; `desk` the dashboard and the switches
main       `Sandbox`, the whole as one object
"""
