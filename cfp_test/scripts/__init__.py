"""Set-up, tests and trainings that are run by hand or by CI."""
