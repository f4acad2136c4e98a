"""The rules: commands in, effects out. No sockets, threads, SQL or clock."""
