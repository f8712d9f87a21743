"""A report in other formats, made from the same analysis: nothing is asked again."""
