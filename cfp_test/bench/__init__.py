"""Measurements, one file each: `python -m cfp_test.bench NAME [--quick] --out FILE.json`.

    analysis    how fast a train step is cut into ParallelBlocks, and with how much memory

A bench prints its rows as a table and writes rows and figures. A figure that was not measured is
null, with the reason beside it.
"""
