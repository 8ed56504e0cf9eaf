"""Flow files: from YAML with positions to compiled flows. Mistakes are values: all of them are collected and shown.

source   YAML → nodes with positions          schema   nodes → the normal form (plain JSON), as far as it can be read
check    does everything it names exist?      between  do flows and settings fit together?
physics  would Instagram allow it?            load     all files together;  plan  what apply would change
compile  normal form → `model.flow.Flow`      yaml_words, patterns, values  what is wrong, in plain words
"""
