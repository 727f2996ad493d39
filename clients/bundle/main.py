#!/usr/bin/env python
"""The program inside the bundle: `llm-sidecar`, and with `--worker` first a worker for local models."""

from sidecar.__main__ import main

main()
