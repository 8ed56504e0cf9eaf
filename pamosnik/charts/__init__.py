"""Numbers as pictures: SVG with its words and its table around it, and bars of letters for terminals. Addresses as
QR codes (`qr`).

Pure: values in, text out. Nothing here needs a script, a font, an inline style or an address, so a picture is the
same on the status page with its strict policy and in a file that a client opens; `style.STYLE` is all that both
need. Colours are the page's variables, so a dark page has dark charts.

Every picture says in words what it shows (`<title>`, `<desc>`), and its numbers stand beside it as a table: nothing
is told by colour or by length alone. Words stand in HTML and only shapes in SVG, which is stretched to the width
there is: at the width of a phone letters keep their size.
"""
