"""Instruction sets that others wrote: reading them record by record, and knowing what their numbers and wordings mean.

Used by `rsflow.audit`, which reports what is wrong with such a set, and by `import_set`, which makes a source of one.
"""
