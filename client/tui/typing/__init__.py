"""What a person does with keys: write, complete, select, go about."""
