"""The commands of `cfp`, one module each, with a `run` from words to the exit status."""
