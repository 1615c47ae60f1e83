"""What is wrong with a data set before a network sees it."""
