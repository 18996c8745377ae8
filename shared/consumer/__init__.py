"""The consumer runtime: effects exactly once, on every log. `worker.Worker` is what a service starts."""
