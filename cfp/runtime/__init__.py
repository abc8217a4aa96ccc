"""Runs what was decided: a step whose every decided value is pinned to its place on a mesh."""
