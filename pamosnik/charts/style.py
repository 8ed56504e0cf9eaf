"""How charts look, for every page that shows one."""

STYLE = """\
:root { --chart-1: var(--accent); --chart-2: #b08d57; --chart-3: #7d7468; --chart-room: var(--soft); }
@media (prefers-color-scheme: dark) {
  :root { --chart-2: #b3925f; --chart-3: #8d857a; }
}
.chart { margin: .75rem 0 1.25rem; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1rem; align-items: baseline; }
.chart figcaption b { font-weight: 600; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0; padding: 0; }
.legend, .axis { font-size: .9rem; color: var(--quiet); }
.legend svg { width: .7rem; height: .7rem; margin-right: .35rem; }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 .5rem; margin-top: .6rem; }
.scale { display: flex; flex-direction: column; justify-content: space-between; align-items: flex-end;
  margin: -.45em 0; font-size: .8rem; line-height: .9em; color: var(--quiet); font-variant-numeric: tabular-nums; }
.bars { display: block; width: 100%; height: 9rem; border-bottom: 1px solid var(--line); }
.lines { fill: none; stroke: var(--line); stroke-width: 1; vector-effect: non-scaling-stroke; }
.s1 { fill: var(--chart-1); } .s2 { fill: var(--chart-2); } .s3 { fill: var(--chart-3); }
.room { fill: var(--chart-room); }
.hit { fill: transparent; }
.hit:hover { fill: var(--quiet); fill-opacity: .15; }
.axis { display: flex; justify-content: space-between; gap: 1rem; margin: .2rem 0 0; grid-column: 2; }
.spark { display: block; width: 100%; min-width: 4rem; max-width: 12rem; height: 1.5rem; overflow: visible; }
.spark polyline { fill: none; stroke: var(--chart-1); stroke-width: 1.5; stroke-linejoin: round; }
.spark polyline { vector-effect: non-scaling-stroke; }
.funnel caption { text-align: left; }
.funnel th[scope=row] { font-size: 1rem; font-weight: 400; color: inherit; white-space: nowrap; }
.funnel .long { width: 60%; vertical-align: middle; }
.funnel svg { display: block; width: 100%; height: .9rem; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
"""
