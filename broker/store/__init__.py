"""Persistence: SQLite behind `broker.chat.ports.Store`, and the journal, the one thread that writes to it."""
