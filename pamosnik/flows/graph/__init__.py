"""Flows as pictures.

`outline` says what is to be seen: the steps of a compiled flow, nested, each with its words and its ways on.
`layout` gives everything a place (`measure` knows how wide text is, `loops` finds lanes for `again`); the outcome is
a `drawing`, plain data with the path of the step on every node. `svg` writes a drawing down; `mermaid` writes an
outline down and leaves the places to whoever shows it. All of it is pure.
"""
