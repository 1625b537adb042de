"""What the benchmarks of the quant room share: options, peers, measuring side by side."""
