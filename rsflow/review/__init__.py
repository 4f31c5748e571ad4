"""What people decide about samples: decisions, what follows from them, and how far the reviewed part represents the rest.

One idea: a decision is about content (this label of this tile, this text), never about a row's place, so it holds for as long
as the same claim is made, whichever run makes it again. Times and names are kept in the table `reviews` and enter no sample.
"""
