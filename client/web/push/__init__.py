"""Push: telling people of messages while no page of theirs is open."""
