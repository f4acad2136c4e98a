"""How the model is drawn on a terminal; nothing in here changes it."""
