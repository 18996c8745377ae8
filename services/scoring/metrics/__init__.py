"""The pure numbers of scoring: counts go in, values with their intervals come out.

Nothing here reads a clock, a file or a database, and nothing depends on the order in which answers arrived: scores are
integer tenths, sums are integers, and a float is made only by the last division.

One file a formula family; `registry.py` lists every metric, `summary.py` and `comparison.py` are the way in.
"""
