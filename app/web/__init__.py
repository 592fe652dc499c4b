"""Pages for people: how they are rendered, in which language, and the files that they load."""
