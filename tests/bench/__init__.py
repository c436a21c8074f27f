"""`make bench`: how many requests one worker answers in a second, beside a bare Sanic answer of the same size."""
