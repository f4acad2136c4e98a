"""What is shown, without how: conversations, their records, what each update of the link does to them. Pure."""
