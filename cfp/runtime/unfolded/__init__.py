"""Cuts inside major parts: a program that computes on the parts, where no sharding can say the cut.

    x [8,64] · w [64,192]         three projections fused, each to be cut by model on its own
    w [64,192] -> [64,3,64]       the last dimension is cut by model: a sharding says so
    x · w      -> [8,3,64]        and one index each gives q, k and v [8,64], cut by model

`form` says how a value is unfolded, `rules` what equations do to it, `spread` where it is carried
so, `unfold` writes the program.
"""
