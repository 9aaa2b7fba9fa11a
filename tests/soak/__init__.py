"""Random operations by eight processes for as long as one likes, and then the question whether all is still well."""
