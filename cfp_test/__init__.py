"""Models that cfp is tried on, and the tests of cfp.

`gpt bert llama2 moe t5 wresnet` and `zoo` hold train steps; `training` holds what they share;
`pure native cpu device golden` hold tests; `scripts` and `bench` are run from a shell.
"""
