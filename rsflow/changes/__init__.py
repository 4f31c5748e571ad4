"""What changed between two pictures of one cell of the ground grid, from maps and from measured indices of both dates.

One idea: a true change is a label of the group, in pixels of its later picture, like that of an annotated pair: areas that
changed, what was searched for everywhere, and where it is unknown. Pixels decide here; words are made of labels alone
(rsflow.instructions.groups.change_facts).
"""
