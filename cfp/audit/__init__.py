"""Compares what a plan says with what the compiler made of it and with what it computes."""
