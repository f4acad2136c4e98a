"""The commands, `#` and `/`: the table of them, how a line is read, and what each does to the desk it is given."""
