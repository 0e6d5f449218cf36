"""Getting to answers together with a person, whatever the terminal."""
