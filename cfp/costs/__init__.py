"""What a plan costs: numbers about a step that is not run."""
