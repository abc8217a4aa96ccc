"""What goes in and comes out: files, command lines and other programs' formats."""
