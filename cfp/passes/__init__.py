"""The verbs of cfp: a file is one function of its name, from a frozen value to the next."""
