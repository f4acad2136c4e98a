"""What people type: which commands there are and how a line is read, the same in the terminal and in a browser."""
