"""Dumps of small models as they should be: what a change to the passes changes, a diff shows.

    python -m cfp_test.golden.update      writes them anew; read the diff before you keep it

A golden shows what the analysis says, not that it is right: the oracles among the tests do that.
"""
