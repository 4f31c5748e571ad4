"""Instruction sets that others wrote: reading them record by record, and knowing what their numbers and wordings mean.

Two tools stand on it: `rsflow.audit` tells what is wrong with such a set, `import_set` makes a source of one.
"""
