"""The parts of the page, one file each: a function from a run folder to a Section."""
