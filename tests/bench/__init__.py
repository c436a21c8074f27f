"""`make bench`: requests per second of one worker, beside bare Sanic answers of the same size."""
