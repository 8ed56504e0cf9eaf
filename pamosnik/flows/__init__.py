"""Flow files: from YAML with positions to compiled flows. Mistakes are values: all of them are collected and shown.

source   YAML → nodes with positions          schema   nodes → the normal form (plain JSON)
check    does everything it names exist?      physics  would Instagram allow it?
compile  normal form → `model.flow.Flow`      load     all files together;  plan  what apply would change
"""
