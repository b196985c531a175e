"""A sample of three departments' files, made up but true to their layouts, with known faults."""
