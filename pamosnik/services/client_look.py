"""How the page for a client looks: on a desk, on a phone, in the dark, on paper.

The style of charts comes between the two, for on paper the colours are those of daylight.
"""

STYLE = """\
:root { color-scheme: light dark; --page: #fff; --text: #1d1b19; --quiet: #5f5a54; --line: #d9d4cc; --soft: #f4f1ec;
  --accent: #2f5d8a; }
@media (prefers-color-scheme: dark) { :root { --page: #171614; --text: #ece8e2; --quiet: #aaa39a; --line: #3c3834;
  --soft: #242220; --accent: #8fbce6; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--text); background: var(--page);
  max-width: 54rem; margin: 0 auto; padding: 0 1.25rem 3rem; overflow-wrap: break-word; }
header { border-top: .4rem solid var(--accent); padding-top: 1.25rem; margin-bottom: 1.25rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; text-wrap: balance; }
h1 span { display: block; font-size: 1.15rem; font-weight: 400; margin-top: .15rem; }
header p { margin: .35rem 0 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; break-after: avoid; }
.quiet { color: var(--quiet); font-size: .9rem; }
.lead { font-size: 1.2rem; text-wrap: pretty; }
.counts { display: grid; grid-template-columns: repeat(3, 1fr); gap: .75rem; padding: 0; margin: 1.25rem 0 .5rem; }
.counts li { list-style: none; background: var(--soft); border-radius: .6rem; padding: .8rem 1rem; }
.counts b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.change { display: inline-block; color: var(--quiet); font-size: .9rem; margin-left: .25rem; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 600; font-size: .85rem; color: var(--quiet); }
th[scope=row] { font-size: 1rem; font-weight: 400; color: inherit; }
.rows th[scope=row] { width: 50%; overflow-wrap: anywhere; }
th.n, td.n { text-align: right; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
summary { cursor: pointer; }
dl { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem 2rem; margin: 0; font-size: .9rem; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--quiet); }
.end { margin-top: 2rem; border-top: 1px solid var(--line); padding-top: .75rem; }
@media screen and (max-width: 38rem) {
  h1 { font-size: 1.6rem; }
  .counts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .counts li { padding: .7rem .8rem; }
  .counts b { font-size: 1.5rem; }
  dl { grid-template-columns: 1fr; }
  .rows, .rows tbody { display: block; }
  .rows thead { display: none; }
  .rows tr { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; padding: .6rem 0;
    border-bottom: 1px solid var(--line); }
  .rows th, .rows td { border: 0; padding: 0; }
  .rows th[scope=row] { width: 100%; }
  .rows td.n { text-align: left; }
  .rows td::before { content: attr(data-head) " "; color: var(--quiet); font-size: .85rem; }
}
"""
PRINTED = """\
@page { size: A4; margin: 15mm 16mm; }
@media print { :root { color-scheme: light; --page: #fff; --text: #000; --quiet: #444; --line: #bbb; --soft: #f1eee9;
    --accent: #2f5d8a; --chart-2: #b08d57; --chart-3: #7d7468; }
  html { font-size: 13px; }
  body { max-width: none; padding: 0; font-size: 1rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; text-decoration: none; }
  h2 { margin-top: 1.75rem; }
  dl { display: block; columns: 2; column-gap: 2rem; }
  dl div { margin-bottom: .5rem; }
  details { display: none; }
  tr, figure, .counts li, dl div, .funnel { break-inside: avoid; } }
"""
