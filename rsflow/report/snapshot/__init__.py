"""The report of a snapshot with charts and pictures: one HTML page that needs no other file and no network.

One idea: everything that the page shows of samples is counted from the records in the shards (`sample_counts`), in one pass,
and the same numbers are on the page as JSON; what the lake alone knows (why rows left, how long steps took, how right
labellers are) is given as facts (`facts`). The same shards and facts give the same bytes.
"""
