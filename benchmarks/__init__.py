"""Speed, as ratios measured in one run, and the laws of the mixing ops: `python -m benchmarks.NAME`.

A file that begins with _ is not a script. Every script takes --smallest, which runs all of it in seconds. One
that needs a package beyond requirements.txt ends with a sentence and exit code 2 where it is missing.
"""
