"""The relay: one DEALER and one SUB for the whole process, and many browsers' WebSockets."""
