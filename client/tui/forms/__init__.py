"""What is asked before there is anything to talk in: who one is."""
