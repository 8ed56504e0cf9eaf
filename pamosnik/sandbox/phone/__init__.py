"""The phone page: the fake Instagram to hold in one's hands, at `/phone` of the sandbox's server.

app        the routes: the page, its state, and what only a finger can point at
state      one person's whole view as JSON        shown    how comments and messages look in it
behind     the column beside the phone: what the observer knows, and the traffic on the wire
words      what switches and faults are called, and which are on
guard      no other web page may drive the sandbox
static     page.html, phone.css, and small JavaScript modules: no framework, no build step, nothing from elsewhere

What people do goes through `/sandbox/…`, the same addresses that scripts use.
"""
