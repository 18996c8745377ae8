"""One command a claim: candidate and reference interleaved in one run, in events per CPU-second of what is measured."""
