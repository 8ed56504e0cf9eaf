"""The words Pamosnik is written in: frozen values, enums and two transition tables. Imports nothing of ours.

event    what Meta told us                      `event`
contact  a person, and what we remember         `contact`
flow     triggers + conditions + steps          `flow`; `book` is all that are applied, with settings
run      one contact going through one flow     `run`
message  what goes out, an outbox item          `outbox`
decision what one turn of the engine changes    `decision`
"""
