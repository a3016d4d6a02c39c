"""The queue libraries that `claims` compares with. Each file is run alone, by a Python that has the library."""
