"""scope-interleaved: fifty people share four connections, and whatever breaks meanwhile, nobody is shown a row of
another's."""
