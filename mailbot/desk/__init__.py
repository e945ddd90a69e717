"""The operators' desk: what a person orders on a page is tried out first, held back, and then done once."""
