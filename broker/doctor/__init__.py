"""`tertulia-broker doctor`: looks at everything a broker rests on, changes nothing, and says what to do."""
